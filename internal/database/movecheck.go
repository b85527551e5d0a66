package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

// isCopy answers for a target that is not empty: an earlier move may have filled it and ended before it could say so.
func (d *DB) isCopy(ctx context.Context, from string, out *Moved) error {
	text, found, err := d.Setting(ctx, settingMovedFrom)
	if err != nil {
		return err
	}
	var note struct {
		Digest string `json:"digest"`
	}
	if found {
		err = json.Unmarshal([]byte(text), &note)
	}
	if err != nil || note.Digest != out.Digest {
		return fmt.Errorf("database %q is not empty, and what it holds did not come from %q as it is now: give the move a fresh database (createdb)", d.path, from)
	}
	out.Before = true
	var ledgers sql.NullInt64
	if err := d.reader.QueryRowContext(ctx, `SELECT count(*) FROM ledger_heads`).Scan(&ledgers); err != nil {
		return err
	}
	out.Ledgers = int(ledgers.Int64)
	return nil
}

// leave notes in the file that its records live elsewhere, so that nobody goes on with it by mistake.
func (m Move) leave(ctx context.Context, out Moved) error {
	pool, err := openFile(m.From, "&_txlock=immediate", 1)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, settingMovedTo, out.To)
	if err = errors.Join(err, pool.Close()); err != nil {
		return fmt.Errorf("the records moved, but %q could not be marked as left; do not start serve on it: %w", m.From, err)
	}
	return nil
}

// left refuses a file whose records moved.
func (d *DB) left(ctx context.Context) error {
	at, found, err := d.Setting(ctx, settingMovedTo)
	if err != nil || !found {
		return err
	}
	return fmt.Errorf("the records of %q moved to %s: set database.driver and database.url in the configuration. Who wants to go on with the file in spite of that takes the mark out:"+
		" sqlite3 %s \"DELETE FROM settings WHERE name = '%s'\"", d.path, at, d.path, settingMovedTo)
}

// tell writes into the answer what was counted.
func (m *Moved) tell(plan []table, sums []sum) {
	var all sum
	for i, t := range plan {
		m.Tables = append(m.Tables, MovedTable{t.name, sums[i].rows})
		all.add(sums[i].total(t.name))
	}
	m.Digest = all.String()
}

// checkChains verifies every ledger; with other it must end where the same one ends there.
func checkChains(ctx context.Context, q, other querier) (int, error) {
	runs, err := list(ctx, q, func(s scanner) (run string, err error) { err = s.Scan(&run); return run, err }, `SELECT run FROM ledger_heads ORDER BY run`)
	if err != nil {
		return 0, err
	}
	for _, run := range runs {
		head, err := checkChain(ctx, q, run)
		if err != nil {
			return 0, err
		}
		if other == nil {
			continue
		}
		there, err := ledgerHead(ctx, other, run)
		if err != nil {
			return 0, err
		}
		if there != head {
			return 0, fmt.Errorf("the ledger of run %q ends at sequence %d here and %d there", run, head.Seq, there.Seq)
		}
	}
	return len(runs), nil
}

func checkChain(ctx context.Context, q querier, run string) (chain.Head, error) {
	head, err := ledgerHead(ctx, q, run)
	if err != nil {
		return head, err
	}
	rows, err := q.QueryContext(ctx, `SELECT run, seq, id, kind, actor, step, at, commitment, prev, hash, salt, body FROM ledger WHERE run = ? ORDER BY seq`, run)
	if err != nil {
		return head, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below is the verdict
	v := chain.New(run)
	for rows.Next() { // one by one: the ledger of the house has no end
		r, err := scanLedger(rows)
		if err != nil {
			return head, err
		}
		if bad := v.Next(r); bad != nil {
			return head, bad
		}
	}
	if err := rows.Err(); err != nil {
		return head, err
	}
	return head, v.End(&head)
}

// newestVersion is that of the migrations that are built in.
func newestVersion(d dialect) (int64, error) {
	files, err := migrations.ReadDir("migrations/" + d.name)
	if err != nil || len(files) == 0 {
		return 0, errors.New("migrations are not built in")
	}
	var n int64
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, f.Name())
	}
	_, err = fmt.Sscanf(slices.Max(names), "%d_", &n)
	return n, err
}
