package database_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestRunsAreKeptOnceChangedAndFound(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	for i := range 3 {
		r := incident.Run{ID: fmt.Sprint("run-", i), Incident: "inc-1", Number: i + 1, Playbook: "gemini-leak", State: "running", StartedAt: noon()}
		must(t, d.PutRun(ctx, r))
		r.Playbook = "other"
		must(t, d.PutRun(ctx, r))
	}
	if err := d.PutRun(ctx, incident.Run{ID: "run-x", Incident: "inc-1", Number: 1}); err == nil {
		t.Error("an incident has two first runs")
	}
	must(t, d.UpdateRun(ctx, "run-2", func(r *incident.Run) {
		r.State, r.Outcome, r.Key = "done", incident.OutcomeContained, &incident.Key{Provider: "gemini", Account: "prod", ID: "K_100%"}
	}))
	if r, open, err := d.OpenRunOf(ctx, "inc-1"); err != nil || !open || r.ID != "run-1" || r.Playbook != "gemini-leak" {
		t.Errorf("open run %+v, %v, %v", r, open, err)
	}
	for want, f := range map[int]database.Filter{
		3: {Until: noon().Add(time.Second)}, 2: {State: "running", Since: noon()}, 1: {Text: "k_100%"}, 0: {Since: noon().Add(time.Second)},
	} {
		if all := got[[]incident.Run](t)(d.Runs(ctx, f)); len(all) != want {
			t.Errorf("%+v found %d, want %d", f, len(all), want)
		}
	}
	if all := got[[]incident.Run](t)(d.Runs(ctx, database.Filter{Text: "%" + "zz"})); len(all) != 0 {
		t.Errorf("a text that nothing holds found %d", len(all))
	}
	page := got[[]incident.Run](t)(d.Runs(ctx, database.Filter{Limit: 2}))
	rest := got[[]incident.Run](t)(d.Runs(ctx, database.Filter{Before: page[1].ID}))
	if page[0].ID != "run-2" || len(rest) != 1 || rest[0].ID != "run-0" {
		t.Errorf("pages %v, %v", page, rest)
	}
}

func TestAFloodGetsOnlyItsShareOfAutomaticContainments(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			ok, err := d.ClaimAuto(ctx, fmt.Sprint("run-", i), noon(), 5, 10*time.Minute)
			if err != nil {
				t.Error(err)
			}
			if ok {
				granted.Add(1)
				if again, err := d.ClaimAuto(ctx, fmt.Sprint("run-", i), noon(), 5, 10*time.Minute); err != nil || !again {
					t.Errorf("a repeat lost its claim: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if granted.Load() != 5 || got[int](t)(d.AutoRuns(ctx, noon().Add(-time.Minute))) != 5 {
		t.Errorf("%d granted", granted.Load())
	}
	if !got[bool](t)(d.ClaimAuto(ctx, "later", noon().Add(11*time.Minute), 5, 10*time.Minute)) {
		t.Error("the window never passes")
	}
}

func TestALateWriteDoesNotTurnAStepBack(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	start := database.StepRow{Run: "r", Path: "contain", Status: "running", Attempt: 1, StartedAt: noon(), Inputs: json.RawMessage(`{"a":1}`)}
	end := database.StepRow{Run: "r", Path: "contain", Status: "done", Attempt: 1, FinishedAt: noon().Add(time.Second), Outputs: json.RawMessage(`{}`)}
	must(t, d.PutStep(ctx, start))
	must(t, d.PutStep(ctx, end))
	must(t, d.PutStep(ctx, start))
	rows := got[[]database.StepRow](t)(d.Steps(ctx, "r"))
	if len(rows) != 1 || rows[0].Status != "done" || string(rows[0].Inputs) != `{"a":1}` || !rows[0].StartedAt.Equal(noon()) {
		t.Errorf("step %+v", rows)
	}
	start.Attempt = 2
	must(t, d.PutStep(ctx, start))
	must(t, d.PutStep(ctx, end))
	if rows := got[[]database.StepRow](t)(d.Steps(ctx, "r")); rows[0].Status != "running" || !rows[0].FinishedAt.IsZero() {
		t.Errorf("second attempt %+v", rows)
	}
}

func TestTheAlertThatStartedARunHoldsNothingUpAndALaterOneDoes(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("1"), byID("k1")))
	must(t, d.PutRun(ctx, incident.Run{ID: "run-1", Incident: s.IncidentID, Number: 1, State: "running", AlertID: s.AlertID}))
	must(t, d.SetFate(ctx, s.AlertID, incident.FateStarted, "matched", "run-1"))
	later := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("2"), byID("k1")))
	must(t, d.SetFate(ctx, later.AlertID, incident.FateJoined, "joined", "run-1"))
	if closed := got[bool](t)(d.CloseIncident(ctx, s.IncidentID, "contained")); closed {
		t.Fatal("closed with a later alert that nobody read")
	}
	if n := got[int](t)(d.UnreadAlerts(ctx, s.IncidentID)); n != 1 {
		t.Fatalf("%d alerts are unread, want the later one", n)
	}
	got[[]incident.Alert](t)(d.MarkAlertsRead(ctx, s.IncidentID))
	if closed := got[bool](t)(d.CloseIncident(ctx, s.IncidentID, "contained")); !closed {
		t.Error("not closed, though every alert was read")
	}
}

func TestStepsLedgerAndRunAreKeptTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	must(t, d.PutRun(ctx, incident.Run{ID: "run-1", Incident: "inc-1", Number: 1, State: "running"}))
	k := database.Kept{
		Steps:   []database.StepRow{{Run: "run-1", Path: "contain", Status: "done", Attempt: 1}},
		Entries: []database.Entry{{ID: "e1", Kind: "step.done", Actor: "system", Body: map[string]any{}}},
		Change:  func(r *incident.Run) { r.State = "waiting" },
	}
	bad := k
	bad.Entries = []database.Entry{{Kind: "step.done", Actor: "system"}} // an entry needs an id
	if err := d.Keep(ctx, "run-1", bad); err == nil {
		t.Fatal("an entry without an id was kept")
	}
	if steps := got[[]database.StepRow](t)(d.Steps(ctx, "run-1")); len(steps) != 0 {
		t.Fatalf("a refused batch left %d steps behind", len(steps))
	}
	for range 2 { // a repeat is harmless
		must(t, d.Keep(ctx, "run-1", k))
	}
	steps, rows, run := got[[]database.StepRow](t)(d.Steps(ctx, "run-1")), got[[]database.LedgerRow](t)(d.Ledger(ctx, "run-1")), got[incident.Run](t)(d.Run(ctx, "run-1"))
	if len(steps) != 1 || len(rows) != 1 || run.State != "waiting" {
		t.Errorf("%d steps, %d entries, state %q", len(steps), len(rows), run.State)
	}
}
