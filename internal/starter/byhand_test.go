package starter_test

import (
	"context"
	"strings"
	"testing"

	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

func TestARunByHandExcludesNobodySilently(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	good := starter.ByHand{Playbook: "leak", Key: "gemini:main:projects/p/keys/k:1", Reason: "a customer called", Starter: "ann"}
	for want, change := range map[string]func(*starter.ByHand){
		"needs a reason":             func(b *starter.ByHand) { b.Reason = "" },
		"needs a reason ":            func(b *starter.ByHand) { b.Reason = " \n" },
		"who starts it":              func(b *starter.ByHand) { b.Starter = "" },
		`no playbook "ghost"`:        func(b *starter.ByHand) { b.Playbook = "ghost" },
		"is not provider:account:id": func(b *starter.ByHand) { b.Key = "gemini:main" },
		`"gemini:main:" is not`:      func(b *starter.ByHand) { b.Key = "gemini:main:" },
		`":main:k" is not`:           func(b *starter.ByHand) { b.Key = ":main:k" },
	} {
		b := good
		change(&b)
		if run, err := r.StartByHand(ctx, b); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("want %q, got run %q and %v", want, run.ID, err)
		}
	}
	if n := len(r.engine.starts); n != 0 {
		t.Fatalf("%d refused runs were started", n)
	}
	run := got[incident.Run](t)(r.StartByHand(ctx, good))
	s := r.engine.starts[0]
	if run.Starter != "ann" || s.Run.Starter != "ann" || got[incident.Run](t)(r.db.Run(ctx, run.ID)).Starter != "ann" {
		t.Errorf("the starter is lost: %+v", run)
	}
	if s.Run.Trust != incident.TrustTell || s.Alert.Trust != incident.TrustTell || s.Alert.Key.ID != "projects/p/keys/k:1" || s.Alert.Title != good.Reason {
		t.Errorf("started with %+v", s.Alert)
	}
	if again := got[incident.Run](t)(r.StartByHand(ctx, good)); again.ID != run.ID || len(r.engine.starts) != 1 {
		t.Errorf("a second start of the open run is %q, %d starts", again.ID, len(r.engine.starts))
	}
}

func TestTheDispatcherNeverStartsARunByHandWithoutItsStarter(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	a := leaked("ann/gemini:main:k1/1") // stored, and the process died before the run was written down
	a.Source, a.Trust = "person", incident.TrustTell
	if fate, reason, run := r.start(t, r.store(t, a)); fate != incident.FateRecorded || run != "" || !strings.Contains(reason, "again") || len(r.engine.starts) != 0 {
		t.Fatalf("%s (%s), run %q", fate, reason, run)
	}
	r.engine.err = serviceerror.NewUnavailable("connection refused")
	if run, err := r.StartByHand(ctx, starter.ByHand{Playbook: "leak", Key: "gemini:main:k2", Reason: "a customer called", Starter: "ann"}); err == nil {
		t.Fatalf("started %q without an engine", run.ID)
	}
	r.engine.err = nil
	waiting := got[[]database.Pending](t)(r.db.Undispatched(ctx, 10))
	if len(waiting) != 1 {
		t.Fatalf("%d alerts wait", len(waiting))
	}
	if fate, _, _ := r.start(t, waiting[0]); fate != incident.FateStarted || len(r.engine.starts) != 1 || r.engine.starts[0].Run.Starter != "ann" {
		t.Errorf("%s: started %+v", fate, r.engine.starts)
	}
	a = leaked("4")
	a.Source, a.FindingDigest, a.Key.ID = "person", "sha256:aa", "k4" // a source of the configuration that happens to be named so
	if fate, reason, _ := r.start(t, r.store(t, a)); fate != incident.FateStarted {
		t.Errorf("an alert from the door: %s (%s)", fate, reason)
	}
}
