package activities

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestTheImpactIsToldFromReceiptsAndTheInventory(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.key.Critical, b.key.Dependents = true, []incident.Dependent{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}
	told := func() []string {
		v := signoff.View{Envelope: signoff.Envelope{Calls: []signoff.PlannedCall{{Action: "key.contain", Reach: "project"}, {Action: "key.revoke", Reach: "key"}}}}
		b.h.impact(t.Context(), wire.Freeze{Run: "run-1", Key: &b.key, Alert: incident.Alert{ObservedAt: time.Now()}}, &v)
		return v.Impact
	}
	want := []string{"4 dependents use the key; none has been checked yet", "the inventory calls this key critical", "key.contain is felt by everything in the same project"}
	if got := told(); !slices.Equal(got, want) {
		t.Errorf("at first: %q", got)
	}
	for path, row := range map[string]database.StepRow{
		"each[0]/check": {Action: "dependent.check", Status: "done", Outputs: json.RawMessage(`{"healthy":true}`)},
		"each[1]/check": {Action: "dependent.check", Status: "done", Outputs: json.RawMessage(`{"healthy":true}`)},
		"each[2]/check": {Action: "dependent.check", Status: "done", Outputs: json.RawMessage(`{"healthy":false}`)},
		"each[3]/check": {Action: "dependent.check", Status: "failed"},
		"contain":       {Action: "key.contain", Status: "done", Outputs: json.RawMessage(`{"healthy":true}`)},
	} {
		row.Run, row.Path, row.StartedAt, row.FinishedAt = "run-1", path, time.Now(), time.Now()
		if err := b.h.DB.PutStep(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []string{"contain", "sessions"} {
		if err := b.h.DB.PutUndo(t.Context(), database.UndoRow{Run: "run-1", Step: step, Action: "key." + step, Target: "gemini:main:k", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.h.DB.MarkUndone(t.Context(), "run-1", "sessions"); err != nil {
		t.Fatal(err)
	}
	row := database.StepRow{Run: "run-1", Path: "usage", Action: "usage.snapshot", Status: "done", StartedAt: time.Now(), FinishedAt: time.Now(),
		Outputs: json.RawMessage(`{"summary":"9 calls","first_abuse":"2026-11-25T03:01:00Z","table":["large: 9 calls"]}`)}
	if err := b.h.DB.PutStep(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	want = slices.Insert(want, 1, "use of the key: 9 calls; the first call that does not fit was at 2026-11-25 03:01:00 UTC", "most of it: large: 9 calls")
	want[0] = "2 of 4 dependents healthy, 1 not, 1 not checked"
	want = append(want, "in force, and can be taken back: key.contain on gemini:main:k")
	if got := told(); !slices.Equal(got, want) {
		t.Errorf("later: %q, want %q", got, want)
	}
}
