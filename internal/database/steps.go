package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// StepRow is one step of a run as the console shows it. Path carries the index of a loop.
type StepRow struct {
	Run        string          `json:"run"`
	Path       string          `json:"path"`
	Title      string          `json:"title"`
	Action     string          `json:"action"`
	Effect     string          `json:"effect"`
	Status     string          `json:"status"`
	Inputs     json.RawMessage `json:"inputs,omitempty"`
	Outputs    json.RawMessage `json:"outputs,omitempty"`
	Error      string          `json:"error,omitempty"`
	Attempt    int             `json:"attempt"`
	StartedAt  time.Time       `json:"started_at,omitzero"`
	FinishedAt time.Time       `json:"finished_at,omitzero"`
	Tries      []Try           `json:"tries,omitempty"` // that did not come through, oldest first
}

// Try is one attempt at a call that did not come through.
type Try struct {
	Attempt    int       `json:"attempt"` // counted by people's decisions to repeat: 2 came after a first Retry
	Status     string    `json:"status"`
	Error      string    `json:"error"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
}

// mostTries of a step are kept: who asks every second for a day fills nothing.
const mostTries = 500

// PutStep inserts or updates a step. Writes may be repeated and come late: an older attempt, or an unfinished one after it
// finished, changes nothing. Inputs, outputs and start that are left out keep what is stored.
func (d *DB) PutStep(ctx context.Context, s StepRow) error {
	return d.write(ctx, fmt.Sprintf("step %q of run %q", s.Path, s.Run), lockRun(s.Run), func(ctx context.Context, tx *txn) error { return putStep(ctx, tx, s) })
}

// Kept is what happened in a run, to be written at once: every transaction waits for the disk.
type Kept struct {
	Steps   []StepRow
	Entries []Entry
	Change  func(*incident.Run) // of the run's own record; nil for none
	Setting map[string]string   // put where none stands under that name: the first one stays
}

// Keep is PutStep for each of the steps, Append, KeepSetting and UpdateRun, in one transaction.
func (d *DB) Keep(ctx context.Context, run string, k Kept) error {
	return d.write(ctx, fmt.Sprintf("records of run %q", run), lockRun(run), func(ctx context.Context, tx *txn) error {
		for _, s := range k.Steps {
			if err := putStep(ctx, tx, s); err != nil {
				return fmt.Errorf("step %q: %w", s.Path, err)
			}
		}
		if err := appendEntries(ctx, tx, run, k.Entries); err != nil {
			return err
		}
		for name, value := range k.Setting {
			if err := keepSetting(ctx, tx, name, value); err != nil {
				return err
			}
		}
		if k.Change == nil {
			return nil
		}
		return updateRun(ctx, tx, run, k.Change)
	})
}

func putStep(ctx context.Context, tx *txn, s StepRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO steps
		(run, path, title, action, effect, status, inputs, outputs, error, attempt, started_at, finished_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (run, path) DO UPDATE SET title = excluded.title, action = excluded.action, effect = excluded.effect,
			status = excluded.status, inputs = COALESCE(excluded.inputs, steps.inputs), outputs = COALESCE(excluded.outputs, steps.outputs),
			error = excluded.error, attempt = excluded.attempt, started_at = COALESCE(excluded.started_at, steps.started_at),
			finished_at = excluded.finished_at
		WHERE excluded.attempt > steps.attempt
			OR (excluded.attempt = steps.attempt AND (excluded.finished_at IS NOT NULL OR steps.finished_at IS NULL))`,
		s.Run, s.Path, s.Title, s.Action, s.Effect, s.Status, raw(s.Inputs), raw(s.Outputs), s.Error, s.Attempt,
		micros(s.StartedAt), micros(s.FinishedAt))
	if err != nil || s.Action == "" || s.Status == "done" || s.FinishedAt.IsZero() || s.StartedAt.IsZero() {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO tries (run, path, started_at, finished_at, attempt, status, error) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
		WHERE (SELECT count(*) FROM tries WHERE run = ?1 AND path = ?2) < ?8 ON CONFLICT (run, path, started_at) DO NOTHING`,
		s.Run, s.Path, micros(s.StartedAt), micros(s.FinishedAt), s.Attempt, s.Status, s.Error, mostTries)
	return err
}

// tries are those of every step of a run, by path.
func (d *DB) tries(ctx context.Context, run string) (map[string][]Try, error) {
	rows, err := d.reader.QueryContext(ctx, `SELECT path, attempt, status, error, started_at, finished_at FROM tries WHERE run = ? ORDER BY path, started_at`, run)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below is the verdict
	out := map[string][]Try{}
	for rows.Next() {
		var path string
		var t Try
		var start, end int64
		if err := rows.Scan(&path, &t.Attempt, &t.Status, &t.Error, &start, &end); err != nil {
			return nil, err
		}
		t.StartedAt, t.FinishedAt = time.UnixMicro(start).UTC(), time.UnixMicro(end).UTC()
		out[path] = append(out[path], t)
	}
	return out, rows.Err()
}

// Steps lists the steps of a run in the order in which they were first written.
func (d *DB) Steps(ctx context.Context, run string) ([]StepRow, error) {
	out, err := list(ctx, d.reader, func(sc scanner) (StepRow, error) {
		var s StepRow
		var in, outp sql.NullString
		var start, end sql.NullInt64
		err := sc.Scan(&s.Run, &s.Path, &s.Title, &s.Action, &s.Effect, &s.Status, &in, &outp, &s.Error, &s.Attempt, &start, &end)
		s.Inputs, s.Outputs, s.StartedAt, s.FinishedAt = fromRaw(in), fromRaw(outp), moment(start), moment(end)
		return s, err
	}, `SELECT run, path, title, action, effect, status, inputs, outputs, error, attempt, started_at, finished_at
		FROM steps WHERE run = ? ORDER BY n`, run)
	if err != nil {
		return nil, fmt.Errorf("steps of run %q: %w", run, err)
	}
	tries, err := d.tries(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("attempts of run %q: %w", run, err)
	}
	for i := range out {
		out[i].Tries = tries[out[i].Path]
	}
	return out, nil
}
