package database_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestHowEverythingStandsIsCounted(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	for i, source := range []string{"github", "github", "generic"} {
		s, err := d.StoreAlert(ctx, incident.Finding{}, incident.Alert{Source: source}, nil)
		must(t, err)
		if i == 0 {
			must(t, d.SetFate(ctx, s.AlertID, incident.FateStarted, "", "run-1"))
		}
	}
	must(t, d.PutRun(ctx, incident.Run{ID: "run-1", Incident: "inc-1", Number: 1, State: "done", Outcome: "contained"}))
	must(t, d.PutQuestion(ctx, database.Question{ID: "q-1", Run: "run-1"}))
	s, err := d.Standing(ctx)
	must(t, err)
	if want := []database.Count{{A: "generic", B: "stored", N: 1}, {A: "github", B: "started", N: 1}, {A: "github", B: "stored", N: 1}}; !slices.Equal(s.Alerts, want) {
		t.Errorf("alerts: %+v", s.Alerts)
	}
	if want := []database.Count{{A: "done", B: "contained", N: 1}}; !slices.Equal(s.Runs, want) || s.OpenSignoffs != 0 || s.OpenAsking != 1 {
		t.Errorf("runs: %+v, open: %d and %d", s.Runs, s.OpenSignoffs, s.OpenAsking)
	}
}
