package backup

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// Names inside a copy.
const (
	Records  = "tourniquet.db"
	Engine   = "temporal.db"
	evidence = "evidence"
	keys     = "keys"
	manifest = "backup.json"
)

// Files are where an installation keeps what.
type Files struct {
	Dir      string   // the data directory
	Evidence bool     // evidence lies in it
	Keys     []string // key files that go along; empty: none
}

// Manifest says what a copy holds.
type Manifest struct {
	At       time.Time         `json:"at"`
	Files    map[string]string `json:"files"` // digests of databases and keys
	Evidence int               `json:"evidence"`
	Keys     bool              `json:"keys"`
}

// Take copies into a folder that does not exist yet; a copy that was cut off never has that name.
func Take(ctx context.Context, from Files, to string) (m Manifest, err error) {
	if _, err := os.Lstat(to); err == nil {
		return m, fmt.Errorf("%q exists already: every backup gets a folder of its own", to)
	}
	part := to + ".partial"
	if err := os.RemoveAll(part); err != nil {
		return m, fmt.Errorf("what an earlier backup left behind cannot be removed: %w", err)
	}
	if err := os.MkdirAll(part, 0o700); err != nil {
		return m, fmt.Errorf("the backup cannot be made: %w", err)
	}
	m = Manifest{At: time.Now().UTC().Truncate(time.Second), Files: map[string]string{}, Keys: len(from.Keys) > 0}
	if err := databases(ctx, from.Dir, part); err != nil {
		return m, err
	}
	if from.Evidence { // after the records: what they name is there, and blobs never change
		if m.Evidence, err = tree(filepath.Join(from.Dir, evidence), filepath.Join(part, evidence)); err != nil {
			return m, fmt.Errorf("copying the evidence: %w", err)
		}
	}
	for _, k := range from.Keys {
		if err := copyFile(k, filepath.Join(part, keys, filepath.Base(k))); err != nil {
			return m, fmt.Errorf("copying the key file %q: %w", k, err)
		}
	}
	if err := m.write(part); err != nil {
		return m, err
	}
	if err := os.Rename(part, to); err != nil {
		return m, fmt.Errorf("the backup is complete and cannot get its name: %w", err)
	}
	return m, nil
}

// databases copies both at one moment.
func databases(ctx context.Context, from, to string) error {
	records, err := open(filepath.Join(from, Records))
	if err != nil {
		return err
	}
	defer func() { _ = records.Close() }()
	engine, err := open(filepath.Join(from, Engine))
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }()
	stop, err := records.Conn(ctx)
	if err != nil {
		return fmt.Errorf("the records cannot be read: %w", err)
	}
	defer func() { _ = stop.Close() }()
	if _, err := stop.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil { // nobody writes records now
		return fmt.Errorf("the records are busy; try again: %w", err)
	}
	one, err := hold(ctx, engine)
	if err != nil {
		return errors.Join(err, release(ctx, stop))
	}
	defer func() { _ = one.Close() }()
	two, err := hold(ctx, records)
	if err = errors.Join(err, release(ctx, stop)); err != nil {
		return err
	}
	defer func() { _ = two.Close() }()
	if err := pages(ctx, one, filepath.Join(to, Engine)); err != nil {
		return fmt.Errorf("copying the state of the workflow engine: %w", err)
	}
	if err := pages(ctx, two, filepath.Join(to, Records)); err != nil {
		return fmt.Errorf("copying the records: %w", err)
	}
	return nil
}

func release(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}

func open(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is nothing to back up: %w", err)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return sql.Open("sqlite", u.String()+"?mode=rw&_pragma=busy_timeout(10000)")
}

// hold reads from now on what is there now.
func hold(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var n int
	if _, err = c.ExecContext(ctx, "BEGIN"); err == nil {
		err = c.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&n)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// pages copies all pages of what a connection holds.
func pages(ctx context.Context, c *sql.Conn, to string) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // SQLite would make it readable for others
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	err = c.Raw(func(driver any) error {
		from, ok := driver.(interface {
			NewBackup(to string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("this SQLite cannot copy")
		}
		b, err := from.NewBackup(to)
		if err != nil {
			return err
		}
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		return err
	}
	return sound(ctx, to)
}

// sound looks whether a file is a whole database.
func sound(ctx context.Context, path string) error {
	db, err := open(path)
	if err != nil {
		return err
	}
	var says string
	err = db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&says)
	if err == nil && says != "ok" {
		err = errors.New(says)
	}
	if err == nil { // one file, without anything beside it
		_, err = db.ExecContext(ctx, "PRAGMA journal_mode = DELETE")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%q is damaged: %w", path, err)
	}
	return nil
}

// write adds digests and the manifest itself, last.
func (m Manifest) write(dir string) error {
	names := []string{Records, Engine}
	all, err := filepath.Glob(filepath.Join(dir, keys, "*"))
	if err != nil {
		return err
	}
	for _, k := range all {
		names = append(names, filepath.Join(keys, filepath.Base(k)))
	}
	for _, name := range names {
		if m.Files[name], err = digest(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifest), append(raw, '\n'), 0o600)
}
