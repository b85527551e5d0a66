package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

// Entry is one thing that happened. ID is unique within the run: a repeat is ignored, whatever else it says.
// Body is kept as canonical JSON, whose numbers are those of JavaScript: what needs more than 53 bits goes in as a string.
type Entry struct {
	ID    string
	Kind  string
	Actor string
	Step  string
	At    time.Time
	Body  any
}

// LedgerRow is one entry as it is stored.
type LedgerRow = chain.Row

// Append adds entries to the ledger of a run, all or none.
func (d *DB) Append(ctx context.Context, run string, entries ...Entry) error {
	return d.write(ctx, fmt.Sprintf("ledger of run %q", run), lockRun(run), func(ctx context.Context, tx *txn) error {
		return appendEntries(ctx, tx, run, entries)
	})
}

func appendEntries(ctx context.Context, tx *txn, run string, entries []Entry) error {
	if run == "" {
		return errors.New("a ledger entry needs a run")
	}
	head, err := ledgerHead(ctx, tx, run)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.ID == "" {
			return fmt.Errorf("a ledger entry of kind %q needs an id", e.Kind)
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM ledger WHERE run = ? AND id = ?`, run, e.ID).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if head, err = appendEntry(ctx, tx, run, head, e); err != nil {
			return fmt.Errorf("entry %q: %w", e.ID, err)
		}
	}
	return nil
}

func appendEntry(ctx context.Context, tx *txn, run string, head chain.Head, e Entry) (chain.Head, error) {
	body, err := chain.Canonical(e.Body)
	if err != nil {
		return head, err
	}
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never returns an error since Go 1.24
	// Names are hashed as they are stored, and a stranger may be the actor.
	r := LedgerRow{Run: run, Seq: head.Seq + 1, ID: e.ID, Kind: e.Kind, Actor: plainText(e.Actor), Step: plainText(e.Step),
		At: e.At.UTC().Truncate(time.Microsecond), Salt: salt, Body: body, Commitment: chain.Commit(salt, body), Prev: head.Hash}
	r.Seal()
	if _, err := tx.ExecContext(ctx, `INSERT INTO ledger (run, seq, id, kind, actor, step, at, commitment, prev, hash, salt, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Run, r.Seq, r.ID, r.Kind, r.Actor, r.Step, r.At.UnixMicro(),
		r.Commitment, r.Prev, r.Hash, r.Salt, string(r.Body)); err != nil {
		return head, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ledger_heads (run, seq, hash) VALUES (?, ?, ?)
		ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, run, r.Seq, r.Hash)
	return chain.Head{Seq: r.Seq, Hash: r.Hash}, err
}

func ledgerHead(ctx context.Context, q querier, run string) (chain.Head, error) {
	var h chain.Head
	err := q.QueryRowContext(ctx, `SELECT seq, hash FROM ledger_heads WHERE run = ?`, run).Scan(&h.Seq, &h.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return chain.Head{}, nil
	}
	return h, err
}

// Ledger lists the entries of a run in their order.
func (d *DB) Ledger(ctx context.Context, run string) ([]LedgerRow, error) {
	rows, err := list(ctx, d.reader, scanLedger, `SELECT run, seq, id, kind, actor, step, at, commitment, prev, hash, salt, body
		FROM ledger WHERE run = ? ORDER BY seq`, run)
	if err != nil {
		return nil, fmt.Errorf("ledger of run %q: %w", run, err)
	}
	return rows, nil
}

func scanLedger(s scanner) (LedgerRow, error) {
	var r LedgerRow
	var at int64
	var body sql.NullString
	err := s.Scan(&r.Run, &r.Seq, &r.ID, &r.Kind, &r.Actor, &r.Step, &at, &r.Commitment, &r.Prev, &r.Hash, &r.Salt, &body)
	r.At, r.Body = time.UnixMicro(at).UTC(), fromRaw(body)
	return r, err
}

// LedgerHead is the last sequence of a run with its hash; the zero head means that nothing was written yet.
func (d *DB) LedgerHead(ctx context.Context, run string) (chain.Head, error) {
	h, err := ledgerHead(ctx, d.reader, run)
	if err != nil {
		return h, fmt.Errorf("ledger head of run %q: %w", run, err)
	}
	return h, nil
}

// VerifyLedger checks the entries of one run as they stand; the error is a *chain.Damage and names the first bad sequence.
// A ledger without its last entries is whole in itself: CheckLedger compares it with the head that is kept apart.
func VerifyLedger(rows []LedgerRow) error { return chain.Verify(rows, nil) }

// CheckLedger reads the ledger of a run and verifies it up to its head.
func (d *DB) CheckLedger(ctx context.Context, run string) error {
	tx, err := d.reader.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("ledger of run %q: %w", run, err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	head, err := ledgerHead(ctx, tx, run)
	if err != nil {
		return fmt.Errorf("ledger head of run %q: %w", run, err)
	}
	rows, err := list(ctx, tx, scanLedger, `SELECT run, seq, id, kind, actor, step, at, commitment, prev, hash, salt, body
		FROM ledger WHERE run = ? ORDER BY seq`, run)
	if err != nil {
		return fmt.Errorf("ledger of run %q: %w", run, err)
	}
	v := chain.New(run)
	for _, r := range rows {
		if d := v.Next(r); d != nil {
			return d
		}
	}
	return v.End(&head)
}

// EraseBody removes what an entry said and its salt, keeps that it was said, and adds an entry that tells of the erasure.
func (d *DB) EraseBody(ctx context.Context, run string, seq int64) error {
	return d.write(ctx, fmt.Sprintf("erasing sequence %d of run %q", seq, run), lockRun(run), func(ctx context.Context, tx *txn) error {
		var kind string
		err := tx.QueryRowContext(ctx, `SELECT kind FROM ledger WHERE run = ? AND seq = ?`, run, seq).Scan(&kind)
		if err != nil {
			return missing(err, "ledger entry", fmt.Sprint(seq))
		}
		if kind == chain.KindErased {
			return errors.New("the note of an erasure cannot be erased itself")
		}
		if _, err := tx.ExecContext(ctx, `UPDATE ledger SET body = NULL, salt = NULL WHERE run = ? AND seq = ?`, run, seq); err != nil {
			return err
		}
		return appendEntries(ctx, tx, run, []Entry{{ID: fmt.Sprintf("erased/%d", seq), Kind: chain.KindErased, Actor: "system",
			At: d.now(), Body: chain.Erased{Seq: seq}}})
	})
}
