package database

import (
	"context"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const retiredName = "retired/"

// Expired lists runs that ended before a time and were not retired yet, oldest first.
func (d *DB) Expired(ctx context.Context, before time.Time, limit int) ([]incident.Run, error) {
	all, err := list(ctx, d.reader, doc[incident.Run], `SELECT doc FROM runs WHERE state = 'done' AND started_at < ?1
		AND NOT EXISTS (SELECT 1 FROM settings WHERE name = '`+retiredName+`' || runs.id) ORDER BY n LIMIT ?2`, before.UnixMicro(), atMost(limit))
	if err != nil {
		return nil, fmt.Errorf("runs that may be retired: %w", err)
	}
	out := all[:0]
	for _, r := range all {
		if !r.FinishedAt.IsZero() && r.FinishedAt.Before(before) {
			out = append(out, r)
		}
	}
	return out, nil
}

// Retired says when the bodies of a run were erased; zero: they were not.
func (d *DB) Retired(ctx context.Context, run string) (time.Time, error) {
	text, found, err := d.Setting(ctx, retiredName+run)
	if err != nil || !found {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, text)
}

// UsedElsewhere reports whether a blob is evidence of another run that was not retired.
func (d *DB) UsedElsewhere(ctx context.Context, digest, run string) (bool, error) {
	var n int
	err := d.reader.QueryRowContext(ctx, `SELECT count(*) FROM evidence WHERE run <> ?1 AND instr(doc, ?2) > 0
		AND NOT EXISTS (SELECT 1 FROM settings WHERE name = '`+retiredName+`' || evidence.run)`, run, digest).Scan(&n)
	if err != nil {
		return true, fmt.Errorf("who else needs evidence %q: %w", digest, err)
	}
	return n > 0, nil
}

// Retire erases what was said in a run that has ended: the bodies of its ledger, each with an entry that tells of it, what went into
// and came out of its steps, and the findings of its alerts. What stays is that it happened, when, by whom, and the chain over it;
// sign-offs, decisions and receipts stay whole. A repeat changes nothing.
func (d *DB) Retire(ctx context.Context, r incident.Run, at time.Time) error {
	return d.write(ctx, fmt.Sprintf("retiring run %q", r.ID), lockRun(r.ID), func(ctx context.Context, tx *txn) error {
		bodies, err := list(ctx, tx, func(s scanner) (seq int64, err error) {
			err = s.Scan(&seq)
			return seq, err
		}, `SELECT seq FROM ledger WHERE run = ? AND body IS NOT NULL AND kind <> '`+chain.KindErased+`' ORDER BY seq`, r.ID)
		if err != nil {
			return err
		}
		var notes []Entry
		for _, seq := range bodies {
			notes = append(notes, Entry{ID: fmt.Sprintf("erased/%d", seq), Kind: chain.KindErased, Actor: "system", At: at, Body: chain.Erased{Seq: seq}})
		}
		if _, err := tx.ExecContext(ctx, `UPDATE ledger SET body = NULL, salt = NULL WHERE run = ? AND kind <> '`+chain.KindErased+`'`, r.ID); err != nil {
			return err
		}
		if err := appendEntries(ctx, tx, r.ID, notes); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE steps SET inputs = NULL, outputs = NULL WHERE run = ?`, r.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE tries SET error = '' WHERE run = ?`, r.ID); err != nil {
			return err
		}
		// A delivery with several alerts is kept once, at one of them: it stays while another incident's alert needs it.
		if _, err := tx.ExecContext(ctx, `UPDATE alerts SET finding = '{}' WHERE incident = ?1 AND finding NOT LIKE '`+sameAs+`%'
			AND NOT EXISTS (SELECT 1 FROM alerts o WHERE o.finding = '`+sameAs+`' || alerts.id AND o.incident <> alerts.incident)`, r.Incident); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, retiredName+r.ID, at.UTC().Format(time.RFC3339Nano))
		return err
	})
}
