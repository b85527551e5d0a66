package starter_test

import (
	"context"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestOpenRunsAreToldOfARestoreOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	fate, _, run := r.start(t, r.store(t, leaked("1")))
	if fate != incident.FateStarted {
		t.Fatal(fate)
	}
	must(t, r.db.PutRun(ctx, incident.Run{ID: "run-over", Incident: "inc-over", Number: 1, State: "done"}))
	must(t, r.TellRestored(ctx))
	if len(r.engine.told) != 0 {
		t.Error("nothing was restored, and runs were told so")
	}
	must(t, r.db.MarkRestored(ctx, "a test"))
	r.engine.err = serviceerror.NewUnavailable("connection refused")
	if err := r.TellRestored(ctx); err == nil {
		t.Error("while the engine is away it says that the runs were told")
	}
	r.engine.err = nil
	must(t, r.TellRestored(ctx))
	at := got[time.Time](t)(r.db.Restored(ctx))
	incidentOf := got[incident.Run](t)(r.db.Run(ctx, run)).Incident
	if len(r.engine.told) != 1 || !r.engine.told[incidentOf].Equal(at) {
		t.Errorf("told were %v", r.engine.told)
	}
	clear(r.engine.told)
	must(t, r.TellRestored(ctx))
	if len(r.engine.told) != 0 {
		t.Error("it was told again")
	}
}

func TestARunThatTheEngineDoesNotKnowAfterARestoreEnds(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	p := r.store(t, leaked("1"))
	_, _, run := r.start(t, p)
	must(t, r.db.SetFate(ctx, p.Alert.ID, incident.FateStarted, "", run))
	closed := ""
	r.Gone = func(_ context.Context, run incident.Run, _, _ string) error { closed = run.ID; return nil }
	must(t, r.db.MarkRestored(ctx, "a test"))
	r.engine.err = serviceerror.NewNotFound("workflow not found")
	must(t, r.TellRestored(ctx))
	if closed != run {
		t.Errorf("closed was %q, wanted %q", closed, run)
	}
}
