package gateway_test

import (
	"context"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestARunWhoseWorkflowIsGoneIsClosedWithEverythingThatWaits(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	stored, err := r.db.StoreAlert(ctx, incident.Finding{Body: []byte("x")}, incident.Alert{Source: "generic", Fingerprint: "1"}, nil)
	must(t, err)
	run := got[incident.Run](t)(r.db.Run(ctx, "run-1"))
	run.Incident = stored.IncidentID
	must(t, r.CloseGone(ctx, run, "ann", "it hangs"))
	after := got[incident.Run](t)(r.db.Run(ctx, "run-1"))
	view := got[signoff.View](t)(r.db.Request(ctx, "req-1"))
	if after.State != "done" || after.Outcome != incident.OutcomeCancelled || view.State != signoff.StateVoided {
		t.Errorf("the run is %s (%s) and its request %s", after.State, after.Outcome, view.State)
	}
	if a := r.Do(ctx, gateway.Act{Person: "ann", Surface: "cli", Request: "q-1", Verb: wire.VerbAnswer, Answer: "yes"}); a.Accepted || a.Code != signoff.ClosedCode {
		t.Errorf("its question can still be answered: %+v", a)
	}
	must(t, r.db.CheckLedger(ctx, "run-1"))
}
