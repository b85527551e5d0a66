package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyRestore() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.restore", Effect: signoff.EffectFinal, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "key",
			Summary: "Put a contained key back as it was; it gives a possibly stolen key back, so it counts as final",
			Inputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the contained key"},
				{Name: "step", Type: playbooks.TypeString, Doc: "path of the step whose undo record is used; the latest containment of the key otherwise"},
			},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was put back"}},
			Example: map[string]any{"summary": "The key has its API targets again"},
		},
		DryRun: dryRestore,
		Run:    runRestore,
	}
}

// undoRecord is the way back that was committed before the key was contained.
func undoRecord(ctx context.Context, h *House, in In, k incident.Key) (database.UndoRow, error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return database.UndoRow{}, err
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		named := in.Text("step") == r.Step || in.Text("step") == "" && r.Target == k.Target()+" ("+k.Hint+")"
		if r.Action == "key.restore" && named {
			return r, nil
		}
	}
	return database.UndoRow{}, keys.Permanent(fmt.Errorf("this run has no undo record for %s", k.Target()))
}

func dryRestore(ctx context.Context, h *House, in In) (Entry, error) {
	e, err := dryRun(ctx, h, in, keys.OpContain)
	if err != nil {
		return Entry{}, err
	}
	k, err := in.Key("key")
	if err != nil {
		return Entry{}, err
	}
	row, err := undoRecord(ctx, h, in, k)
	if err != nil {
		return Entry{}, err
	}
	before := map[string]string{}
	if err := json.Unmarshal(row.Before, &before); err != nil {
		return Entry{}, keys.Permanent(fmt.Errorf("the undo record of %s cannot be read", row.Step))
	}
	e.Done = maps.Equal(e.State, before)
	if !e.Done && row.Left != nil && !maps.Equal(e.State, row.Left) {
		return Entry{}, keys.Permanent(fmt.Errorf("%s is no longer as we left it, so the recorded undo does not fit; compare it by hand", e.Target))
	}
	e.After, e.Undo = "as it was before "+row.Step+": "+string(row.Before), ""
	return e, nil
}

func runRestore(ctx context.Context, h *House, in In) (Output, error) {
	p, k, err := h.target(in, "key")
	if err != nil {
		return Output{}, err
	}
	row, err := undoRecord(ctx, h, in, k)
	if err != nil {
		return Output{}, err
	}
	got, err := p.Restore(ctx, k, row.Undo)
	if err != nil {
		return Output{}, err
	}
	return Output{Summary: got.Summary, Request: got.RequestID, Values: map[string]any{"summary": got.Summary}}, h.DB.MarkUndone(ctx, in.Run, row.Step)
}
