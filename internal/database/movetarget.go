package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// What a target may be.
const (
	targetBare  = "bare"  // without any table
	targetEmpty = "empty" // with our tables, and nothing in them
	targetFull  = "full"
)

// asTarget looks at a PostgreSQL that is to be filled, and refuses one that is not ours alone.
func (d *DB) asTarget(ctx context.Context, plan []table) (string, error) {
	there, err := list(ctx, d.reader, func(s scanner) (name string, err error) { err = s.Scan(&name); return name, err },
		`SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`)
	if err != nil {
		return "", fmt.Errorf("database %q: %w", d.path, withoutSecrets(err))
	}
	if len(there) == 0 {
		var may bool
		err := d.reader.QueryRowContext(ctx, `SELECT has_schema_privilege(current_schema(), 'CREATE')`).Scan(&may)
		if err != nil || !may {
			return "", fmt.Errorf("database %q has no tables and this account may not make them; run: GRANT CREATE ON SCHEMA public TO the account", d.path)
		}
		return targetBare, nil
	}
	if !slices.Contains(there, "goose_db_version") {
		return "", fmt.Errorf("database %q holds tables that are not Tourniquet's, %q first: give the move a database of its own (createdb)", d.path, there[0])
	}
	newest, err := newestVersion(postgres)
	if err != nil {
		return "", err
	}
	var version int64
	if err := d.reader.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version`).Scan(&version); err != nil {
		return "", fmt.Errorf("database %q: %w", d.path, withoutSecrets(err))
	}
	if version != newest {
		return "", fmt.Errorf("database %q has its tables in version %d and this release knows version %d: give the move a fresh database (createdb)", d.path, version, newest)
	}
	return d.filled(ctx, plan, there)
}

// filled tells an empty target from a full one, and both from one with other tables than ours.
func (d *DB) filled(ctx context.Context, plan []table, there []string) (string, error) {
	wanted := []string{"goose_db_version"}
	for _, t := range plan {
		wanted = append(wanted, t.name)
	}
	slices.Sort(wanted)
	if !slices.Equal(there, wanted) {
		return "", fmt.Errorf("database %q holds the tables %s, and the move expects %s: give it a database of its own (createdb)", d.path, strings.Join(there, " "), strings.Join(wanted, " "))
	}
	state := targetEmpty
	for _, t := range plan {
		var any bool
		if err := d.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&any); err != nil {
			return "", fmt.Errorf("database %q, table %q: %w", d.path, t.name, withoutSecrets(err))
		}
		if any {
			state = targetFull
		}
	}
	return state, nil
}

// up makes the tables; the caller holds the lock of those who change tables.
func (d *DB) up(ctx context.Context) error {
	err := d.provider(func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("the tables of database %q cannot be made: %w", d.path, withoutConnection(err))
	}
	return nil
}

// claimTarget keeps everybody else out until the transaction ends, and looks once more whether anybody wrote meanwhile. The order of
// a ledger is proven by its hashes here, and its trigger would want the heads to grow one by one.
func claimTarget(ctx context.Context, tx *txn, plan []table) error {
	for _, say := range []string{`SET LOCAL statement_timeout = 0`, `SET LOCAL idle_in_transaction_session_timeout = 0`} {
		if _, err := tx.ExecContext(ctx, say); err != nil {
			return err
		}
	}
	for _, t := range plan {
		if _, err := tx.ExecContext(ctx, `LOCK TABLE `+t.name+` IN ACCESS EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("table %q is in use by somebody else: %w", t.name, err)
		}
		var any bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&any); err != nil {
			return err
		}
		if any {
			return fmt.Errorf("somebody wrote into table %q just now: stop what uses this database", t.name)
		}
	}
	_, err := tx.ExecContext(ctx, `ALTER TABLE ledger DISABLE TRIGGER USER`)
	return err
}

// finishTarget puts the triggers back and lets the counters go on where those of the file stand, rows that were deleted included.
func finishTarget(ctx context.Context, from querier, tx *txn, plan []table) error {
	if _, err := tx.ExecContext(ctx, `ALTER TABLE ledger ENABLE TRIGGER USER`); err != nil {
		return err
	}
	for _, t := range plan {
		if !t.counts {
			continue
		}
		var last int64
		if err := from.QueryRowContext(ctx, `SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)`, t.name).Scan(&last); err != nil {
			return err
		}
		if last == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence(?, 'n'), ?)`, t.name, last); err != nil {
			return fmt.Errorf("the counter of table %q: %w", t.name, err)
		}
	}
	return nil
}

// withoutConnection is withoutSecrets for errors that may be our own sentences.
func withoutConnection(err error) error {
	var connect *pgconn.ConnectError
	var parse *pgconn.ParseConfigError
	if errors.As(err, &connect) || errors.As(err, &parse) {
		return withoutSecrets(err)
	}
	return err
}
