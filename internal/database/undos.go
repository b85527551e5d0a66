package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// UndoRow is how one undoable call is taken back. It is committed before the call.
type UndoRow struct {
	Run      string            `json:"run"`
	Step     string            `json:"step"`
	Action   string            `json:"action"`
	Target   string            `json:"target"`
	Before   json.RawMessage   `json:"before,omitempty"`
	Undo     json.RawMessage   `json:"undo,omitempty"`
	Left     map[string]string `json:"left,omitempty"` // the target's state after our call, set later
	At       time.Time         `json:"at"`
	UndoneAt time.Time         `json:"undone_at,omitzero"`
	UsedBy   []string          `json:"used_by,omitempty"` // what lives on what the call made; while anything does it is not taken back
}

// InForce reports whether the call stands as it was made and can be taken back.
func (u UndoRow) InForce() bool { return u.UndoneAt.IsZero() && len(u.UsedBy) == 0 }

// PutUndo keeps an undo record. The first one of a run and step stays, so that a repeat cannot overwrite the state before with
// the contained one.
func (d *DB) PutUndo(ctx context.Context, u UndoRow) error {
	var left any
	if u.Left != nil {
		s, err := text(u.Left)
		if err != nil {
			return fmt.Errorf("undo of step %q: %w", u.Step, err)
		}
		left = s
	}
	return d.exec(ctx, fmt.Sprintf("undo of step %q of run %q", u.Step, u.Run), `INSERT INTO undos
		(run, step, action, target, before, undo, left_state, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, step) DO NOTHING`,
		u.Run, u.Step, u.Action, u.Target, raw(u.Before), raw(u.Undo), left, micros(u.At))
}

// ForgetUndo takes back an undo record whose call wrote nothing. One that was left or undone stays.
func (d *DB) ForgetUndo(ctx context.Context, run, step string) error {
	return d.exec(ctx, fmt.Sprintf("undo of step %q of run %q", step, run),
		`DELETE FROM undos WHERE run = ? AND step = ? AND left_state IS NULL AND undone_at IS NULL`, run, step)
}

// SetUndoLeft records how our call left the target; undo checks that it is still so. A target that the call itself made gets its
// name now; an empty one keeps the name that it had.
func (d *DB) SetUndoLeft(ctx context.Context, run, step, target string, left map[string]string) error {
	s, err := text(left)
	if err != nil {
		return fmt.Errorf("undo of step %q: %w", step, err)
	}
	return d.write(ctx, fmt.Sprintf("undo of step %q of run %q", step, run), "", func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `UPDATE undos SET left_state = ?, target = COALESCE(NULLIF(?, ''), target)
			WHERE run = ? AND step = ?`, s, target, run, step)
		return changed(res, err, "undo record", step)
	})
}

// MarkUndone records that the call was taken back; a repeat keeps the first time.
func (d *DB) MarkUndone(ctx context.Context, run, step string) error {
	return d.write(ctx, fmt.Sprintf("undo of step %q of run %q", step, run), "", func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `UPDATE undos SET undone_at = COALESCE(undone_at, ?) WHERE run = ? AND step = ?`,
			micros(d.now()), run, step)
		return changed(res, err, "undo record", step)
	})
}

// SetUndoUse records that something lives on what a call made, or does so no more. A repeat changes nothing.
func (d *DB) SetUndoUse(ctx context.Context, run, step, by string, used bool) error {
	what := fmt.Sprintf("use of what step %q of run %q made", step, run)
	if used {
		return d.exec(ctx, what, `INSERT INTO undo_uses (run, step, used_by, at) VALUES (?, ?, ?, ?) ON CONFLICT (run, step, used_by) DO NOTHING`,
			run, step, by, micros(d.now()))
	}
	return d.exec(ctx, what, `DELETE FROM undo_uses WHERE run = ? AND step = ? AND used_by = ?`, run, step, by)
}

// Undos lists the undo records of a run, oldest first; undoing goes from the end.
func (d *DB) Undos(ctx context.Context, run string) ([]UndoRow, error) {
	out, err := list(ctx, d.reader, scanUndo, `SELECT run, step, action, target, before, undo, left_state, at, undone_at
		FROM undos WHERE run = ? ORDER BY n`, run)
	if err != nil {
		return nil, fmt.Errorf("undo records of run %q: %w", run, err)
	}
	uses, err := list(ctx, d.reader, func(s scanner) (use [2]string, err error) {
		err = s.Scan(&use[0], &use[1])
		return use, err
	}, `SELECT step, used_by FROM undo_uses WHERE run = ? ORDER BY step, used_by`, run)
	if err != nil {
		return nil, fmt.Errorf("undo records of run %q: %w", run, err)
	}
	for i := range out {
		for _, use := range uses {
			if use[0] == out[i].Step {
				out[i].UsedBy = append(out[i].UsedBy, use[1])
			}
		}
	}
	return out, nil
}

// UndosBy lists what is taken back by one action, of all runs, the newest first.
func (d *DB) UndosBy(ctx context.Context, action string) ([]UndoRow, error) {
	out, err := list(ctx, d.reader, scanUndo, `SELECT run, step, action, target, before, undo, left_state, at, undone_at
		FROM undos WHERE action = ? ORDER BY n DESC LIMIT ?`, action, mostUndos)
	if err != nil {
		return nil, fmt.Errorf("undo records of %q: %w", action, err)
	}
	return out, nil
}

// mostUndos bounds how far back is looked for what an ended run left behind.
const mostUndos = 5000

func scanUndo(s scanner) (UndoRow, error) {
	var u UndoRow
	var before, undo, left sql.NullString
	var at, undone sql.NullInt64
	err := s.Scan(&u.Run, &u.Step, &u.Action, &u.Target, &before, &undo, &left, &at, &undone)
	u.Before, u.Undo, u.At, u.UndoneAt = fromRaw(before), fromRaw(undo), moment(at), moment(undone)
	if left.Valid {
		err = errors.Join(err, json.Unmarshal([]byte(left.String), &u.Left))
	}
	return u, err
}
