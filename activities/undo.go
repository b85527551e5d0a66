package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// undoRecord is the way back that was committed before the call that action takes back.
func undoRecord(ctx context.Context, h *House, in In, action string, k incident.Key) (database.UndoRow, error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return database.UndoRow{}, err
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		named := in.Text("step") == r.Step || in.Text("step") == "" && r.Target == k.Target()+" ("+k.Hint+")"
		if r.Action == action && named {
			return r, nil
		}
	}
	if in.Text("step") == "" {
		if r, found, err := h.leftBehind(ctx, in, action, k); found || err != nil {
			return r, err
		}
	}
	return database.UndoRow{}, keys.Permanent(fmt.Errorf("neither this run nor one that has ended has an undo record in force for %s", k.Target()))
}

// leftBehind is what a run that has ended left in force on a key: a later run, which people sign for, may take it back. Under a grant
// it may have been taken back already, by the call whose answer was lost.
func (h *House) leftBehind(ctx context.Context, in In, action string, k incident.Key) (found database.UndoRow, is bool, err error) {
	rows, err := h.DB.UndosBy(ctx, action)
	if err != nil {
		return found, false, err
	}
	for _, r := range rows {
		switch about := r.Target == k.Target() || strings.HasPrefix(r.Target, k.Target()+" ("); {
		case !about || r.Run == in.Run:
			continue
		case !r.UndoneAt.IsZero():
			if in.Grant != nil && !is {
				found, is = r, true
			}
			continue
		}
		run, err := h.DB.Run(ctx, r.Run)
		if err != nil {
			return r, false, err
		}
		if run.State != "done" {
			return r, false, keys.Permanent(fmt.Errorf("%s of run %s is in force on %s, and that run has not ended: it takes it back itself, or cancel it first", r.Step, r.Run, k.Target()))
		}
		return r, true, nil
	}
	return found, is, nil
}

// dryUndo compares the target as it is with what op found and left.
func dryUndo(ctx context.Context, h *House, in In, action string, op keys.Op) (Entry, error) {
	e, err := dryRun(ctx, h, in, op)
	if err != nil {
		return Entry{}, err
	}
	k, err := in.Key("key")
	if err != nil {
		return Entry{}, err
	}
	row, err := undoRecord(ctx, h, in, action, k)
	if err != nil {
		return Entry{}, err
	}
	return undoing(e, row)
}

// undoing says of an entry what the undo makes of it, and refuses where the target is no longer as we left it.
func undoing(e Entry, row database.UndoRow) (Entry, error) {
	before := map[string]string{}
	if err := json.Unmarshal(row.Before, &before); err != nil {
		return Entry{}, keys.Permanent(fmt.Errorf("the undo record of %s cannot be read", row.Step))
	}
	e.Done = maps.Equal(e.State, before)
	if !e.Done && !maps.Equal(e.State, row.Left) { // a record that does not say how we left it fits nothing
		return Entry{}, keys.Permanent(fmt.Errorf("%s is no longer as we left it, so the recorded undo does not fit; compare it by hand", e.Target))
	}
	e.After, e.Undo = "as it was before "+row.Step+": "+string(row.Before), ""
	return e, nil
}

func runUndo(ctx context.Context, h *House, in In, action string) (Output, error) {
	p, k, err := h.target(in, "key")
	if err != nil {
		return Output{}, err
	}
	row, err := undoRecord(ctx, h, in, action, k)
	if err != nil {
		return Output{}, err
	}
	got, err := p.Restore(ctx, k, row.Undo)
	if err != nil {
		return Output{}, err
	}
	return Output{Summary: got.Summary, Request: got.RequestID, Values: map[string]any{"summary": got.Summary}}, h.DB.MarkUndone(ctx, row.Run, row.Step)
}
