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

func dependentRestore() Action {
	return Action{
		Card: playbooks.Card{
			Name: "dependent.restore", Effect: signoff.EffectFinal, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "dependent",
			Summary: "Put back what a dependent held before it got a new key; that may be a stolen one, so it counts as final",
			Inputs: []playbooks.Field{
				{Name: "dependent", Type: playbooks.TypeDepend, Required: true, Doc: "the dependent that was given a new key"},
				{Name: "step", Type: playbooks.TypeString, Doc: "path of the step whose undo record is used; the latest update of the dependent otherwise"},
			},
			Outputs: []playbooks.Field{
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was put back"},
				{Name: "request", Type: playbooks.TypeString, Doc: "the store's own id of the update"},
			},
			Example: map[string]any{"summary": "secret/shop:api_key holds what it held before"},
		},
		DryRun: dryPutBack,
		Run:    putBack,
		Landed: putBackLanded,
	}
}

// dependentUndo is the way back that was committed before the dependent got its new key.
func dependentUndo(ctx context.Context, h *House, in In, d incident.Dependent) (database.UndoRow, error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return database.UndoRow{}, err
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		if r.Action == "dependent.restore" && r.Target == dependentTarget(d) && (in.Text("step") == "" || in.Text("step") == r.Step) {
			return r, nil
		}
	}
	return database.UndoRow{}, keys.Permanent(fmt.Errorf("this run has no undo record for %s: its store gives no value back, or it was never updated", d.ID))
}

func dryPutBack(ctx context.Context, h *House, in In) (Entry, error) {
	d, s, err := h.place(in)
	if err != nil {
		return Entry{}, err
	}
	row, err := dependentUndo(ctx, h, in, d)
	if err != nil {
		return Entry{}, err
	}
	if err := h.deployable(ctx, d); err != nil {
		return Entry{}, err
	}
	st, err := s.State(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	before := map[string]string{}
	if err := json.Unmarshal(row.Before, &before); err != nil {
		return Entry{}, keys.Permanent(fmt.Errorf("the undo record of %s cannot be read", row.Step))
	}
	e := Entry{
		Target: dependentTarget(d), State: st.Fields, Reach: keys.ReachKey, Before: fieldsInWords(st.Fields),
		After: whatHappensTo(d, "as it was before "+row.Step+": "+s.Undo()),
	}
	// Undone already: the versions went on, so the state alone does not tell.
	e.Done = maps.Equal(st.Fields, before) || !row.UndoneAt.IsZero()
	if sent := in.Grant != nil && !maps.Equal(st.Fields, signedState(in)); !e.Done && !sent && row.Left != nil && !maps.Equal(st.Fields, row.Left) {
		return Entry{}, keys.Permanent(fmt.Errorf("%s is no longer as we left it, so the recorded undo does not fit; compare it by hand", d.ID))
	}
	return e, nil
}

func putBack(ctx context.Context, h *House, in In) (Output, error) {
	d, s, err := h.place(in)
	if err != nil {
		return Output{}, err
	}
	row, err := dependentUndo(ctx, h, in, d)
	if err != nil {
		return Output{}, err
	}
	var record oldRecord
	if err := json.Unmarshal(row.Undo, &record); err != nil {
		return Output{}, keys.Permanent(fmt.Errorf("the undo record of %s cannot be read", row.Step))
	}
	if !row.UndoneAt.IsZero() {
		return putBackOutput(d, "", "; it was put back already"), nil
	}
	var old []byte
	if record.Secret != nil {
		if old, err = h.DB.OpenSealed(ctx, *record.Secret); err != nil {
			return Output{}, keys.Permanent(fmt.Errorf("the value that %s held before cannot be opened: %w", d.ID, err))
		}
		defer clear(old)
	}
	change := order(in, nil)
	receipt, err := s.Restore(ctx, d, record.Store, old, change)
	if err != nil {
		return Output{}, moved(err)
	}
	deployed, err := h.deploy(ctx, d, change)
	if err != nil {
		return Output{}, err
	}
	return putBackOutput(d, receipt+deployed, ""), h.isBack(ctx, in, d, row)
}

func putBackOutput(d incident.Dependent, request, note string) Output {
	text := d.ID + " holds what it held before" + note
	return Output{Summary: text, Request: request, Values: map[string]any{"summary": text, "request": request}}
}

// putBackLanded: as for the update, a state that is not the signed one is our lost call or somebody else's.
func putBackLanded(ctx context.Context, h *House, in In, now Entry, signed map[string]string) (Output, bool, error) {
	if maps.Equal(now.State, signed) {
		return Output{}, false, nil
	}
	d, _, err := h.place(in)
	if err != nil {
		return Output{}, false, err
	}
	row, err := dependentUndo(ctx, h, in, d)
	if err != nil {
		return Output{}, false, err
	}
	deployed, err := h.deploy(ctx, d, order(in, nil))
	if err != nil {
		return Output{}, false, err
	}
	return putBackOutput(d, deployed, "; the write had arrived when its answer was lost"), true, h.isBack(ctx, in, d, row)
}

// isBack writes down that the update was taken back: the dependent lives on no new key any more.
func (h *House) isBack(ctx context.Context, in In, d incident.Dependent, row database.UndoRow) error {
	if err := h.releases(ctx, in, dependentTarget(d)); err != nil {
		return err
	}
	return h.DB.MarkUndone(ctx, in.Run, row.Step)
}
