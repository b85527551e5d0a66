package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// What waits longest is on the first page of the API, and what came just now on the last: every command has to get there.
func TestWhatWaitsOnTheLastPageIsListedCompletedAndAnswered(t *testing.T) {
	t.Parallel()
	o := opened(t)
	const many = 107
	for i := range many {
		v := signoff.View{Request: fmt.Sprint("rq-", i), State: signoff.StateOpen, Title: "Revoke", Envelope: signoff.Envelope{Run: reporttest.RunID}}
		q := database.Question{ID: fmt.Sprint("q-", i), Run: reporttest.RunID, From: "secops", Prompt: "Again?", Choices: []string{"retry", "stop"}}
		if err := o.db.PutRequest(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		if err := o.db.PutQuestion(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	got := command(t, o.env, "signoff", "list")
	if n, asks := strings.Count(got.out, "rq-"), strings.Count(got.out, "q-")-strings.Count(got.out, "rq-"); got.code != exitGood || n != many || asks != many || !strings.Contains(got.out, reporttest.Open) {
		t.Errorf("exit %d: %d sign-offs and %d questions of %d each are listed; %s", got.code, n, asks, many, got.talk)
	}
	var list struct{ Signoffs, Questions []json.RawMessage }
	if got := command(t, o.env, "signoff", "list", "-o", "json"); json.Unmarshal([]byte(got.out), &list) != nil || len(list.Signoffs) != many+1 || len(list.Questions) != many {
		t.Errorf("as JSON: %d sign-offs and %d questions", len(list.Signoffs), len(list.Questions))
	}
	o.env["TOURNIQUET_CONFIG"] = filepath.Join(t.TempDir(), "none.yaml") // as a flag it would stand behind what is completed
	if got := command(t, o.env, "__complete", "signoff", "show", ""); strings.Count(got.out, "rq-") != many {
		t.Errorf("%d are offered:\n%s%s", strings.Count(got.out, "rq-"), got.out, got.talk)
	}
	if got := command(t, o.env, "signoff", "answer", "q-106", "retry"); got.code != exitGood || len(o.desk.did()) != 1 {
		t.Errorf("the last question: exit %d, said %q", got.code, got.talk)
	}
}

func TestAListWithoutEndIsLeft(t *testing.T) {
	t.Parallel()
	got := command(t, answering(t, 200, `{"items":[],"next":"again"}`), "signoff", "list")
	if got.code != exitFailed || !strings.Contains(got.talk, "no end") {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}
