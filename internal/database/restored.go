package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	settingHome     = "home"
	settingRestored = "restored_at"
)

// ComeHome tells whether these records came out of a backup since they were last opened: then they lie somewhere else than they say.
// What was decided and called after the backup is not in them, so they are marked (MarkRestored). A file that was written back into
// itself cannot be told from one that was never away; who does that marks the records by hand.
func (d *DB) ComeHome(ctx context.Context) (restored bool, err error) {
	home, err := d.home(ctx)
	if err != nil {
		return false, fmt.Errorf("where database %q lies could not be found out: %w", d.path, err)
	}
	err = d.write(ctx, "home of the records", lockSettings, func(ctx context.Context, tx *txn) error {
		restored = false
		var said string
		err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, settingHome).Scan(&said)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || said == home {
			return err
		}
		if restored = err == nil; restored {
			if err := d.markRestored(ctx, tx, "they lie in another place than when they were last opened"); err != nil {
				return err
			}
		}
		return putSetting(ctx, tx, settingHome, home)
	})
	return restored, err
}

// MarkRestored notes that these records came out of a backup: no call is made any more under a sign-off that was asked before now.
func (d *DB) MarkRestored(ctx context.Context, why string) error {
	return d.write(ctx, "marking the records as restored", lockSettings, func(ctx context.Context, tx *txn) error {
		return d.markRestored(ctx, tx, why)
	})
}

func (d *DB) markRestored(ctx context.Context, tx *txn, why string) error {
	at := d.now().UTC()
	if err := putSetting(ctx, tx, settingRestored, at.Format(time.RFC3339Nano)); err != nil {
		return err
	}
	return appendEntries(ctx, tx, HouseLedger, []Entry{{ID: "restored/" + at.Format(time.RFC3339Nano), Kind: "database.restored", Actor: "system", At: at, Body: map[string]string{"why": why}}})
}

// Restored is when these records were last found to have come out of a backup; zero: never.
func (d *DB) Restored(ctx context.Context) (time.Time, error) {
	text, found, err := d.Setting(ctx, settingRestored)
	if err != nil || !found {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fmt.Errorf("when the records were restored is not readable: %w", err)
	}
	return at, nil
}

func putSetting(ctx context.Context, tx *txn, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// home is where the records lie, in a form that a copy of them does not take along: of a file its place on the disk and a mark
// that lies beside it, of a PostgreSQL the number of the database in its cluster and, where we may see it, the cluster's own history.
func (d *DB) home(ctx context.Context) (string, error) {
	if d.dialect.postgres {
		var oid int64
		if err := d.reader.QueryRowContext(ctx, `SELECT oid::bigint FROM pg_database WHERE datname = current_database()`).Scan(&oid); err != nil {
			return "", withoutSecrets(err)
		}
		var system, timeline int64
		err := d.reader.QueryRowContext(ctx, `SELECT s.system_identifier, c.timeline_id::bigint FROM pg_control_system() s, pg_control_checkpoint() c`).Scan(&system, &timeline)
		if err != nil {
			return fmt.Sprint("postgres/", oid), nil //nolint:nilerr // a service may keep that to itself
		}
		return fmt.Sprintf("postgres/%d/%d/%d", system, timeline, oid), nil
	}
	info, err := os.Stat(d.path)
	if err != nil {
		return "", err
	}
	place, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", errors.New("this system does not say where a file lies")
	}
	mark, err := markBeside(d.path + "-home")
	return fmt.Sprintf("file/%s/%d/%d", mark, place.Dev, place.Ino), err
}

// markBeside reads a random mark, or makes it.
func markBeside(path string) (string, error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		body = []byte(rand.Text() + "\n")
		err = os.WriteFile(path, body, 0o600)
	}
	return strings.TrimSpace(string(body)), err
}
