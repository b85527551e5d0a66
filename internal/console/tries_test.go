package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

func TestEachAttemptOfAStepIsARowWithItsReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(s int) time.Time { return reporttest.Start().Add(time.Duration(s) * time.Second) }
	for i, c := range []struct {
		attempt     int
		status, err string
	}{{1, "failed", "503 <b>busy</b>"}, {1, "failed", "403 forbidden"}, {2, "waiting", "nothing was sent yet"}, {2, "done", ""}} {
		for range 2 { // a repeat of a write changes nothing
			if err := w.db.PutStep(t.Context(), database.StepRow{Run: reporttest.RunID, Path: "tell", Action: "incident.update", Status: c.status, Error: c.err, Attempt: c.attempt,
				StartedAt: at(100 * i), FinishedAt: at(100*i + 2)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	q := database.Question{ID: "q-park", Run: reporttest.RunID, Step: "tell", Kind: "park", From: "secops", Prompt: "again?", Choices: []string{"Retry"}}
	if err := w.db.PutQuestion(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.db.AnswerQuestion(t.Context(), q.ID, "Retry", "priya", at(150)); err != nil {
		t.Fatal(err)
	}
	_, page := w.signedIn().do("GET", "/runs/"+reporttest.RunID+"/step?path=tell", nil)
	for _, want := range []string{"4 attempts", "503 &lt;b&gt;busy&lt;/b&gt;", "the first", "repeated by itself", "priya chose Retry", "nothing had been sent: looked again"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestALoopShowsTheValueOfEachTurn(t *testing.T) {
	t.Parallel()
	w, as := withRoles(t)
	over, err := json.Marshal(map[string]any{"as": "dependent", "count": 3, "items": []any{map[string]any{"id": "acme/shop", "note": reporttest.Hostile}, "blog"}})
	if err != nil {
		t.Fatal(err)
	}
	rows := []database.StepRow{{Path: "each", Title: "Every dependent", Status: "running", Inputs: over, StartedAt: reporttest.Start()}}
	for n, status := range []string{"done", "failed"} {
		rows = append(rows, database.StepRow{Path: fmt.Sprintf("each[%d]/give", n), Action: "dependent.update", Status: status, Attempt: 1, StartedAt: reporttest.Start(), FinishedAt: reporttest.Start().Add(time.Second)})
	}
	for _, row := range rows {
		row.Run = reporttest.RunID
		if err := w.db.PutStep(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	_, page := as["responder"].do("GET", "/runs/"+reporttest.RunID, nil)
	for _, want := range []string{"dependent = {&#34;id&#34;:&#34;acme/shop&#34;", "dependent = &#34;blog&#34;", `href="#s-each%5b1%5d%2fgive"`, "1 more item is"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "\u202e") {
		t.Error("an item's text came through as it was")
	}
	if _, page := as["viewer"].do("GET", "/runs/"+reporttest.RunID, nil); strings.Contains(page, "dependent = ") {
		t.Error("a viewer sees what the loop went over")
	}
}
