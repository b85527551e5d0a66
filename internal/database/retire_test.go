package database_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestARetiredRunKeepsAChainThatVerifies(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	stored, err := d.StoreAlert(ctx, incident.Finding{Body: []byte("said")}, incident.Alert{Source: "github"}, nil)
	must(t, err)
	run := incident.Run{ID: "run-1", Incident: stored.IncidentID, Number: 1, State: "done", StartedAt: noon(), FinishedAt: noon().Add(time.Hour)}
	young := incident.Run{ID: "run-2", Incident: "inc-2", Number: 1, State: "done", StartedAt: noon(), FinishedAt: noon().Add(48 * time.Hour)}
	open := incident.Run{ID: "run-3", Incident: "inc-3", Number: 1, State: "running", StartedAt: noon()}
	for _, r := range []incident.Run{run, young, open} {
		must(t, d.PutRun(ctx, r))
		must(t, d.Append(ctx, r.ID, database.Entry{ID: "a", Kind: "run.note", Actor: "ann", At: noon(), Body: map[string]string{"text": "said"}}, database.Entry{ID: "b", Kind: "x", At: noon(), Body: 1}))
	}
	must(t, d.PutStep(ctx, database.StepRow{Run: run.ID, Path: "a", Inputs: json.RawMessage(`{"x":"said"}`), Outputs: json.RawMessage(`{"y":"said"}`)}))
	must(t, d.EraseBody(ctx, run.ID, 2)) // somebody erased one before
	old, err := d.Expired(ctx, noon().Add(2*time.Hour), 10)
	must(t, err)
	if len(old) != 1 || old[0].ID != run.ID {
		t.Fatalf("expired are %+v", old)
	}
	for range 2 { // a repeat changes nothing
		must(t, d.Retire(ctx, old[0], noon().Add(99*time.Hour)))
	}
	must(t, d.CheckLedger(ctx, run.ID))
	rows, err := d.Ledger(ctx, run.ID)
	must(t, err)
	if len(rows) != 4 || rows[0].Body != nil || rows[0].Actor != "ann" || rows[1].Body != nil || string(rows[3].Body) != `{"erased_seq":1}` {
		t.Errorf("the ledger holds %+v", rows)
	}
	steps, err := d.Steps(ctx, run.ID)
	must(t, err)
	f, err := d.Finding(ctx, stored.AlertID)
	must(t, err)
	at, err := d.Retired(ctx, run.ID)
	must(t, err)
	if steps[0].Inputs != nil || steps[0].Outputs != nil || len(f.Body) > 0 || !at.Equal(noon().Add(99*time.Hour)) {
		t.Errorf("left are %+v, %q, retired at %s", steps[0], f.Body, at)
	}
	left, err := d.Expired(ctx, noon().Add(2*time.Hour), 10)
	must(t, err)
	others, err := d.Ledger(ctx, young.ID)
	must(t, err)
	if len(left) != 0 || others[0].Body == nil {
		t.Errorf("left to retire: %+v; of another run: %+v", left, others)
	}
}

func TestEvidenceThatAnotherRunNeedsIsKept(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	for _, run := range []string{"run-1", "run-2"} {
		must(t, d.PutEvidence(ctx, incident.Evidence{ID: "ev-" + run, Run: run, Digest: "sha256:aa"}))
	}
	if used, err := d.UsedElsewhere(ctx, "sha256:aa", "run-1"); err != nil || !used {
		t.Errorf("used: %t, %v", used, err)
	}
	must(t, d.PutRun(ctx, incident.Run{ID: "run-2", Incident: "inc-2", Number: 1, State: "done"}))
	must(t, d.Retire(ctx, incident.Run{ID: "run-2", Incident: "inc-2"}, noon()))
	if used, err := d.UsedElsewhere(ctx, "sha256:aa", "run-1"); err != nil || used {
		t.Errorf("used by a retired run: %t, %v", used, err)
	}
}
