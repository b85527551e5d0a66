package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

const (
	settingMovedTo   = "moved_to"   // in the file that was left
	settingMovedFrom = "moved_from" // in the PostgreSQL that was filled
)

// Move is a move of all records from an SQLite file to a PostgreSQL. Nobody else may use the file meanwhile.
type Move struct {
	From string // the file
	To   string // postgres://…
	Box  Box
	Look bool              // only say what would be done
	Note func(text string) // how far it is; nil: nobody listens
}

// Moved is what a move did, or would do.
type Moved struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Done    bool         `json:"done"`              // false: it was only looked at
	Before  bool         `json:"already,omitempty"` // an earlier attempt had done it
	Tables  []MovedTable `json:"tables"`
	Ledgers int          `json:"ledgers"` // chains that hold on both sides, up to the same heads
	Digest  string       `json:"digest"`  // over every row
}

// MovedTable is one table with its rows.
type MovedTable struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// Rows counts the rows of all tables.
func (m Moved) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// Run moves: everything or nothing. What is interrupted leaves the target empty, and the file is never changed but for the note, at
// the very end, that it was left; so a move is resumed by doing it again.
func (m Move) Run(ctx context.Context) (out Moved, err error) {
	if !IsPostgres(m.To) {
		return out, errors.New("records move to a PostgreSQL: the address begins with postgres://")
	}
	from, err := m.source(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := connectPostgres(ctx, m.To, m.Box)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if at, found, err := from.Setting(ctx, settingMovedTo); err != nil || found && at != to.path {
		return out, errors.Join(err, errIf(found, fmt.Sprintf("the records of %q moved to %s before; what is in the file is older than what is there", m.From, at)))
	}
	out = Moved{From: m.From, To: to.path}
	err = alone(ctx, to.writer.DB, func() error { return m.between(ctx, from, to, &out) })
	if err != nil || m.Look {
		return out, err
	}
	out.Done = true
	return out, m.leave(ctx, out)
}

// source opens the file to read it, and refuses what must not be moved.
func (m Move) source(ctx context.Context) (*DB, error) {
	abs, err := filepath.Abs(m.From)
	if err != nil {
		return nil, fmt.Errorf("database path %q: %w", m.From, err)
	}
	if _, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("there is no database %q to move: %w", m.From, err)
	}
	pool, err := openFile(abs, "&_pragma=query_only(1)", 2)
	if err != nil {
		return nil, fmt.Errorf("database %q cannot be opened: %w", m.From, err)
	}
	d := &DB{dialect: sqlite, box: m.Box, path: m.From, now: time.Now, reader: pool, writer: pool}
	if err := d.mayMove(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) mayMove(ctx context.Context) error {
	newest, err := newestVersion(sqlite)
	if err != nil {
		return err
	}
	var version int64
	if err := d.reader.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version`).Scan(&version); err != nil {
		return fmt.Errorf("%q is no database of Tourniquet: %w", d.path, err)
	}
	if version != newest {
		return fmt.Errorf("database %q has its tables in version %d and this release knows version %d: start and stop serve of this release once, then move", d.path, version, newest)
	}
	if err := d.sealedBy(ctx); err != nil {
		return err
	}
	open, err := list(ctx, d.reader, func(s scanner) (id string, err error) { err = s.Scan(&id); return id, err },
		`SELECT id FROM runs WHERE state <> 'done' ORDER BY n LIMIT 4`)
	if err != nil {
		return fmt.Errorf("database %q: %w", d.path, err)
	}
	if len(open) > 0 {
		return fmt.Errorf("runs are open in database %q, %q first: the workflow engine's own state does not move with them. Start serve, let them end or cancel them (tourniquet run list --state running, run cancel), stop serve, and move then", d.path, open)
	}
	return nil
}

// between looks at both sides and fills the target, which nobody else migrates meanwhile.
func (m Move) between(ctx context.Context, from, to *DB, out *Moved) error {
	snap, err := from.reader.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("database %q: %w", from.path, err)
	}
	defer func() { _ = snap.Rollback() }() // it only read
	plan, err := tablesOf(ctx, snap)
	if err != nil {
		return fmt.Errorf("database %q: %w", from.path, err)
	}
	state, err := to.asTarget(ctx, plan)
	if err != nil {
		return err
	}
	sums, err := m.sums(ctx, snap, plan)
	if err != nil {
		return fmt.Errorf("database %q: %w", from.path, err)
	}
	out.tell(plan, sums)
	if state == targetFull {
		return to.isCopy(ctx, from.path, out)
	}
	if out.Ledgers, err = checkChains(ctx, snap, nil); err != nil || m.Look {
		return err
	}
	if state == targetBare {
		if err := to.up(ctx); err != nil {
			return err
		}
	}
	return m.fill(ctx, snap, to, plan, sums, out)
}

// fill copies every table in one transaction, and commits only when the target holds exactly what the source holds.
func (m Move) fill(ctx context.Context, snap *txn, to *DB, plan []table, sums []sum, out *Moved) error {
	c, err := to.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("database %q: %w", to.path, withoutSecrets(err))
	}
	defer func() { _ = c.Close() }()
	raw, err := c.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("database %q: %w", to.path, withoutSecrets(err))
	}
	defer func() { _ = raw.Rollback() }() // after a commit it does nothing
	tx := &txn{Tx: raw, pool: to.writer}
	copyInto := func(t table) error {
		return c.Raw(func(driver any) error { return t.copy(ctx, snap, driver.(*stdlib.Conn).Conn()) })
	}
	for _, step := range []func() error{
		func() error { return claimTarget(ctx, tx, plan) },
		func() error { return m.each(plan, "copying", copyInto) },
		func() error { return finishTarget(ctx, snap, tx, plan) },
		func() error { return m.compare(ctx, tx, plan, sums) },
		func() error { _, err := checkChains(ctx, tx, snap); return err },
		func() error { return m.sign(ctx, tx, out) },
		raw.Commit,
	} {
		if err := step(); err != nil {
			return fmt.Errorf("moving to database %q: %w", to.path, withoutConnection(err))
		}
	}
	return nil
}

func (m Move) each(plan []table, verb string, do func(table) error) error {
	for _, t := range plan {
		if m.Note != nil {
			m.Note(verb + " " + t.name)
		}
		if err := do(t); err != nil {
			return fmt.Errorf("table %q: %w", t.name, err)
		}
	}
	return nil
}

// sign notes on the target where its records came from: for people in the ledger, and for a repeat of this move in a setting.
func (m Move) sign(ctx context.Context, tx *txn, out *Moved) error {
	note, err := json.Marshal(map[string]any{"from": filepath.Base(m.From), "rows": out.Rows(), "digest": out.Digest})
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?)`, settingMovedFrom, string(note)); err != nil {
		return err
	}
	return appendEntries(ctx, tx, HouseLedger, []Entry{{ID: "moved/" + out.Digest, Kind: "database.moved", Actor: "operator", At: time.Now(), Body: json.RawMessage(note)}})
}
