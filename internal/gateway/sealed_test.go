package gateway_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// keyRoom has an open question for a key.
func keyRoom(t *testing.T) room {
	t.Helper()
	r := newRoom(t)
	must(t, r.db.PutQuestion(t.Context(), database.Question{ID: "k-1", Run: "run-1", Step: "replace/fresh", Kind: database.QuestionKey, From: "secops", Prompt: "Make a key"}))
	return r
}

func (r room) seal(person, question, value string) gateway.Reply {
	return r.Seal(context.Background(), gateway.Act{Person: person, Surface: "console", Request: question}, []byte(value))
}

func TestAKeyMadeByHandGoesUnderSealAndItsHandleIsTheAnswer(t *testing.T) {
	t.Parallel()
	r := keyRoom(t)
	value := "sk-made-up-" + strings.Repeat("q7", 20)
	if got := r.seal("ann", "k-1", " "+value+"\n"); !got.Accepted || strings.Contains(got.Text, value) {
		t.Fatalf("%+v", got)
	}
	q := got[database.Question](t)(r.db.Question(t.Context(), "k-1"))
	if q.Answer != "new/run-1/replace/fresh#1" || q.By != "ann" {
		t.Fatalf("the answer is %q by %q", q.Answer, q.By)
	}
	if kept := got[[]byte](t)(r.db.OpenSealed(t.Context(), incident.SecretRef{Handle: "new/run-1/replace/fresh", Version: 1})); string(kept) != value {
		t.Error("what was sealed is not what was typed, without the blanks around it")
	}
	if tries := r.attempts(t, "k-1"); len(tries) != 1 || !tries[0].Accepted || strings.Contains(fmt.Sprintf("%+v", tries), value) {
		t.Errorf("attempts: %+v", tries)
	}
	for _, suffix := range []string{"", "-wal"} {
		if raw, err := os.ReadFile(r.path + suffix); err == nil && strings.Contains(string(raw), value) {
			t.Errorf("the database file%s holds the key in the clear", suffix)
		}
	}
	if again := r.seal("ann", "k-1", value); again.Accepted || again.Code != signoff.ClosedCode {
		t.Errorf("a second key was taken: %+v", again)
	}
}

func TestWhoMayNotSealIsRefusedAndWrittenDown(t *testing.T) {
	t.Parallel()
	r := keyRoom(t)
	value := "sk-made-up-" + strings.Repeat("q7", 20)
	for name, c := range map[string]struct{ person, question, value, code string }{
		"not in the group":       {"olga", "k-1", value, signoff.NotEligible},
		"a stranger":             {"eve", "k-1", value, signoff.NotEligible},
		"a bot":                  {"bot", "k-1", value, signoff.NotEligible},
		"another kind":           {"ann", "q-1", value, signoff.WrongRequest},
		"no such question":       {"ann", "k-9", value, signoff.ClosedCode},
		"too short":              {"ann", "k-1", "short", gateway.Unavailable},
		"two words":              {"ann", "k-1", value + " " + value, gateway.Unavailable},
		"longer than any key is": {"ann", "k-1", strings.Repeat("a", 9000), gateway.Unavailable},
	} {
		if got := r.seal(c.person, c.question, c.value); got.Accepted || got.Code != c.code || strings.Contains(got.Text, value) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if q := got[database.Question](t)(r.db.Question(t.Context(), "k-1")); q.Answered() {
		t.Errorf("the question was answered with %q", q.Answer)
	}
	// ann's three at one moment of a clock that stands still are three all the same
	if tries := r.attempts(t, "k-1"); len(tries) != 6 {
		t.Errorf("%d attempts are written down", len(tries))
	}
}
