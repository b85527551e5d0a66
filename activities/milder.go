package activities

import (
	"context"
	"encoding/json"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// effectOn is what the action does to one target. The card's effect is the worst that it can do, which is what playbooks
// are checked for; a dry run may find that this target can be taken back, and never the other way round.
func (a Action) effectOn(e Entry) string {
	if a.Card.Effect == signoff.EffectFinal && e.Undoable && a.Card.Undo != "" {
		return signoff.EffectUndoable
	}
	return a.Card.Effect
}

// signedCall is a call as people signed it; false for one that is not in the envelope.
func signedCall(in In) (signoff.PlannedCall, bool) {
	for _, p := range in.Grant.Envelope.Calls {
		if p.Step == in.Step {
			return p, true
		}
	}
	return signoff.PlannedCall{}, false
}

// arrived is the result of a call whose answer was lost, though the call was not. Its way back was written down before it
// was sent, if it has one.
func (h *House) arrived(ctx context.Context, a Action, in In, out Output) (wire.Result, error) {
	res := result(out, "")
	res.Already = true
	row, err := h.undoOf(ctx, in)
	if err != nil || row == nil {
		return res, err
	}
	res.Undo = row.Action
	if out.Left == nil {
		return res, nil
	}
	return res, h.DB.SetUndoLeft(ctx, in.Run, in.Step, out.Target, out.Left)
}

// undoOf is the way back that was written down for this step; nil when there is none.
func (h *House) undoOf(ctx context.Context, in In) (*database.UndoRow, error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	for i := range rows {
		if rows[i].Step == in.Step {
			return &rows[i], err
		}
	}
	return nil, err
}

// keepUndo commits the way back before the call, so that a repeat cannot overwrite it with the state that the call leaves.
// forget takes it away again where the call wrote nothing: asked anew, people see another state, and that is the way back.
func (h *House) keepUndo(ctx context.Context, a Action, in In, e Entry) (forget func(error) error, err error) {
	forget = func(err error) error { return err }
	known, err := h.undoOf(ctx, in)
	if err != nil || known != nil {
		return forget, err
	}
	before, err := json.Marshal(e.State)
	if err != nil {
		return forget, err
	}
	record := e.Record
	if a.Keep != nil {
		if record, err = a.Keep(ctx, h, in, e); err != nil {
			return forget, err
		}
	}
	row := database.UndoRow{Run: in.Run, Step: in.Step, Action: a.Card.Undo, Target: e.Target, Before: before, Undo: record, At: h.Now()}
	return func(err error) error {
		var app *temporal.ApplicationError
		if errors.As(err, &app) && app.Type() == wire.ErrDrifted {
			if ferr := h.DB.ForgetUndo(context.WithoutCancel(ctx), in.Run, in.Step); ferr != nil {
				h.Log.Error("a way back that is none could not be taken away", "run", in.Run, "step", in.Step, "error", ferr)
			}
		}
		return err
	}, h.DB.PutUndo(ctx, row)
}

// signedState is the target as people saw it when they signed; nil for a call that is not in the envelope.
func signedState(in In) map[string]string {
	p, _ := signedCall(in)
	return p.State
}
