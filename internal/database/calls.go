package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// States of a call.
const (
	CallStarted = "started" // something may have been sent: the outcome is unknown until the target was read
	CallDone    = "done"
	CallFailed  = "failed"
)

// CallRow is one planned call. It is committed as started before anything is sent.
type CallRow struct {
	ID         string          `json:"id"`
	Run        string          `json:"run"`
	Request    string          `json:"request"`
	Step       string          `json:"step"`
	Action     string          `json:"action"`
	Target     string          `json:"target"`
	Digest     string          `json:"digest"` // of what is sent
	State      string          `json:"state"`
	Receipt    json.RawMessage `json:"receipt,omitempty"`
	StartedAt  time.Time       `json:"started_at"`
	FinishedAt time.Time       `json:"finished_at,omitzero"`
}

const callColumns = `id, run, request, step, action, target, digest, state, receipt, started_at, finished_at`

// BeginCall commits the row of a call. Only who gets fresh may send; anybody else gets the row that is there and acts by its
// state. One id stands for one thing sent: the same id with another content is refused.
func (d *DB) BeginCall(ctx context.Context, c CallRow) (row CallRow, fresh bool, err error) {
	err = d.write(ctx, fmt.Sprintf("call %q", c.ID), "call/"+c.ID, func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO calls (id, run, request, step, action, target, digest, state, started_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			c.ID, c.Run, c.Request, c.Step, c.Action, c.Target, c.Digest, CallStarted, micros(c.StartedAt))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if row, err = scanCall(tx.QueryRowContext(ctx, `SELECT `+callColumns+` FROM calls WHERE id = ?`, c.ID)); err != nil {
			return err
		}
		if row.Digest != c.Digest || row.Run != c.Run || row.Request != c.Request || row.Action != c.Action || row.Target != c.Target {
			return fmt.Errorf("the row was written for %s on %q with digest %q and cannot carry %s on %q with digest %q",
				row.Action, row.Target, row.Digest, c.Action, c.Target, c.Digest)
		}
		fresh = n == 1
		return nil
	})
	if err != nil {
		return CallRow{}, false, err
	}
	return row, fresh, nil
}

// FinishCall records the outcome of a started call: CallDone or CallFailed. The same outcome again is harmless and keeps the first
// receipt; another outcome is refused.
func (d *DB) FinishCall(ctx context.Context, id, state string, receipt json.RawMessage) error {
	return d.write(ctx, fmt.Sprintf("outcome of call %q", id), "call/"+id, func(ctx context.Context, tx *txn) error {
		if state != CallDone && state != CallFailed {
			return fmt.Errorf("%q is not an outcome: it is %q or %q", state, CallDone, CallFailed)
		}
		row, err := scanCall(tx.QueryRowContext(ctx, `SELECT `+callColumns+` FROM calls WHERE id = ?`, id))
		if err != nil {
			return missing(err, "call", id)
		}
		if row.State == state {
			return nil
		}
		if row.State != CallStarted {
			return fmt.Errorf("it is already %q and cannot become %q", row.State, state)
		}
		_, err = tx.ExecContext(ctx, `UPDATE calls SET state = ?, receipt = ?, finished_at = ? WHERE id = ?`,
			state, raw(receipt), micros(d.now()), id)
		return err
	})
}

// Call reads one row.
func (d *DB) Call(ctx context.Context, id string) (CallRow, error) {
	c, err := scanCall(d.reader.QueryRowContext(ctx, `SELECT `+callColumns+` FROM calls WHERE id = ?`, id))
	if err != nil {
		return c, fmt.Errorf("call: %w", missing(err, "call", id))
	}
	return c, nil
}

// Calls lists the calls of a run in the order in which they were begun.
func (d *DB) Calls(ctx context.Context, run string) ([]CallRow, error) {
	out, err := list(ctx, d.reader, scanCall, `SELECT `+callColumns+` FROM calls WHERE run = ? ORDER BY n`, run)
	if err != nil {
		return nil, fmt.Errorf("calls of run %q: %w", run, err)
	}
	return out, nil
}

func scanCall(s scanner) (CallRow, error) {
	var c CallRow
	var receipt sql.NullString
	var start, end sql.NullInt64
	err := s.Scan(&c.ID, &c.Run, &c.Request, &c.Step, &c.Action, &c.Target, &c.Digest, &c.State, &receipt, &start, &end)
	c.Receipt, c.StartedAt, c.FinishedAt = fromRaw(receipt), moment(start), moment(end)
	return c, err
}
