package browser

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

// manySteps adds steps to the run, as a loop over many dependents leaves them.
func manySteps(t *testing.T, db *database.DB, n int) {
	t.Helper()
	var kept database.Kept
	for i := range n {
		at := reporttest.Start().Add(time.Duration(i) * time.Second)
		path := fmt.Sprintf("replace/rotate/%d/works", i)
		kept.Steps = append(kept.Steps, database.StepRow{
			Run: reporttest.RunID, Path: path, Title: "Does it work?", Action: "dependent.check", Effect: "observe", Status: "done", Attempt: 1,
			Inputs: json.RawMessage(`{"dependent":{"id":"acme/shop:KEY"}}`), Outputs: json.RawMessage(`{"healthy":true,"summary":"the workflow ran and passed"}`), StartedAt: at, FinishedAt: at.Add(time.Second),
		})
		kept.Entries = append(kept.Entries, database.Entry{ID: "many/" + path, Kind: "step.done", Actor: "system", Step: path, At: at, Body: map[string]any{"action": "dependent.check", "summary": "the workflow ran and passed"}})
	}
	if err := db.Keep(t.Context(), reporttest.RunID, kept); err != nil {
		t.Fatal(err)
	}
}
