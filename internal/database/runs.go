package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// PutRun keeps a new run; a repeat with the same id changes nothing. The alert that a run is started with counts as read:
// it is the run's input, and only a later one may hold up the end of the incident. A new run of an incident that has ended meanwhile
// is refused: its alert moved to where somebody answers, and has to be told there.
func (d *DB) PutRun(ctx context.Context, r incident.Run) error {
	body, err := text(r)
	if err != nil {
		return fmt.Errorf("run %q: %w", r.ID, err)
	}
	return d.write(ctx, fmt.Sprintf("run %q", r.ID), lockCases, func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO runs (id, incident, number, state, outcome, provider, words, started_at, doc)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Incident, r.Number, r.State, r.Outcome, provider(r), words(r), micros(r.StartedAt), body)
		if err != nil {
			return err
		}
		if fresh, err := res.RowsAffected(); err != nil || fresh == 1 {
			if err := errors.Join(err, mustBeOpen(ctx, tx, r.Incident)); err != nil && !IsNotFound(err) {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE alerts SET is_read = 1 WHERE id = ?`, r.AlertID)
		return err
	})
}

// UpdateRun changes a run in one transaction. Its id, incident and number stay.
func (d *DB) UpdateRun(ctx context.Context, id string, change func(*incident.Run)) error {
	return d.write(ctx, fmt.Sprintf("run %q", id), lockRun(id), func(ctx context.Context, tx *txn) error { return updateRun(ctx, tx, id, change) })
}

func updateRun(ctx context.Context, tx *txn, id string, change func(*incident.Run)) error {
	r, err := doc[incident.Run](tx.QueryRowContext(ctx, `SELECT doc FROM runs WHERE id = ?`, id))
	if err != nil {
		return missing(err, "run", id)
	}
	was := r
	change(&r)
	r.ID, r.Incident, r.Number = was.ID, was.Incident, was.Number
	body, err := text(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE runs SET state = ?, outcome = ?, provider = ?, words = ?, started_at = ?, doc = ? WHERE id = ?`,
		r.State, r.Outcome, provider(r), words(r), micros(r.StartedAt), body, id)
	return err
}

func provider(r incident.Run) string {
	if r.Key == nil {
		return ""
	}
	return r.Key.Provider
}

// words is what the text filter looks through.
func words(r incident.Run) string {
	w := []string{r.ID, r.Incident, r.Playbook, r.Starter, r.Outcome}
	if r.Key != nil {
		w = append(w, r.Key.Target(), r.Key.Name, r.Key.Hint, r.Key.Owner, r.Key.Project)
	}
	return strings.ToLower(strings.Join(w, "\n"))
}

// Run reads one run.
func (d *DB) Run(ctx context.Context, id string) (incident.Run, error) {
	r, err := doc[incident.Run](d.reader.QueryRowContext(ctx, `SELECT doc FROM runs WHERE id = ?`, id))
	if err != nil {
		return r, fmt.Errorf("run: %w", missing(err, "run", id))
	}
	return r, nil
}

// AutoRuns counts the runs that claimed automatic containment after since.
func (d *DB) AutoRuns(ctx context.Context, since time.Time) (int, error) {
	var n int
	err := d.reader.QueryRowContext(ctx, `SELECT count(*) FROM auto_claims WHERE at > ?`, since.UnixMicro()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("automatic containments: %w", err)
	}
	return n, nil
}

// ClaimAuto lets a run contain automatically if fewer than limit other runs did so within per before now. A run that holds a
// claim keeps it.
func (d *DB) ClaimAuto(ctx context.Context, run string, now time.Time, limit int, per time.Duration) (bool, error) {
	granted := false
	err := d.write(ctx, fmt.Sprintf("automatic containment of run %q", run), lockAuto, func(ctx context.Context, tx *txn) error {
		var mine, others int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE run = ?1), count(*) FILTER (WHERE run <> ?1 AND at > ?2)
			FROM auto_claims WHERE run = ?1 OR at > ?2`, run, now.Add(-per).UnixMicro()).Scan(&mine, &others)
		if err != nil {
			return err
		}
		if granted = mine > 0 || others < limit; !granted || mine > 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO auto_claims (run, at) VALUES (?, ?)`, run, now.UnixMicro())
		return err
	})
	return granted && err == nil, err
}
