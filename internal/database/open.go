package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

//go:embed migrations
var migrations embed.FS

// Box seals what must not lie in the file as it is. KeyedHash joins secrets without storing them.
type Box interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
	KeyedHash(b []byte) string
}

// DB is the open database. It is safe for concurrent use.
type DB struct {
	dialect dialect
	writer  *pool // of SQLite one connection: it has one writer, and waiting in Go is fairer than waiting for a lock
	reader  *pool // of PostgreSQL the same as writer
	writes  *together
	box     Box
	path    string
	now     func() time.Time
}

// Open opens the database at a path (SQLite) or address (postgres://…) and brings its tables up to date. A file is made when it
// is missing, readable by its owner only.
func Open(ctx context.Context, where string, box Box) (*DB, error) {
	if IsPostgres(where) {
		return openPostgres(ctx, where, box)
	}
	abs, err := filepath.Abs(where)
	if err != nil {
		return nil, fmt.Errorf("database path %q: %w", where, err)
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("database %q cannot be opened: %w", where, err)
	}
	err = errors.Join(f.Chmod(0o600), f.Close())
	if err != nil {
		return nil, fmt.Errorf("database %q cannot be kept private: %w", where, err)
	}
	d := &DB{dialect: sqlite, box: box, path: where, now: time.Now, writes: &together{turn: make(chan struct{}, 1)}}
	if d.writer, err = openFile(abs, "&_txlock=immediate"+cached, 1); err != nil {
		return nil, fmt.Errorf("database %q cannot be opened: %w", where, err)
	}
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(err, d.writer.Close())
	}
	if d.reader, err = openFile(abs, "&_pragma=query_only(1)", 8); err != nil {
		return nil, errors.Join(fmt.Errorf("database %q cannot be read: %w", where, err), d.writer.Close())
	}
	if err := d.left(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// cached is how much of the file the connection that writes keeps in memory, in KiB. With SQLite's own 2 MiB each run reads the same
// pages again and again as soon as some thousand runs lie there.
const cached = "&_pragma=cache_size(-16000)"

func openFile(path, more string, most int) (*pool, error) {
	db, err := sql.Open("sqlite", dsn(path, more))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(most)
	return newPool(db, sqlite), nil
}

func dsn(path, more string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return u.String() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(2)" +
		"&_pragma=foreign_keys(1)&_pragma=recursive_triggers(1)&_pragma=secure_delete(1)" + more
}

// Ping tells whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.reader.PingContext(ctx); err != nil {
		return fmt.Errorf("database %q: %w", d.path, withoutSecrets(err))
	}
	return nil
}

// Close waits for what is running and closes the database.
func (d *DB) Close() error {
	if d.reader == d.writer {
		return d.writer.Close()
	}
	return errors.Join(d.reader.Close(), d.writer.Close())
}

// write runs fn in a transaction and returns when that is on the disk. SQLite lets one writer in at a time. With PostgreSQL whoever
// names the same lock waits for the other, also one in another process: a write that reads first and then decides must
// name what it decides about, and one that is a single statement needs no lock. Writes that come at the same time may share a
// transaction (together), so fn uses the context that it is given: a caller that gives up must not interrupt what others write.
func (d *DB) write(ctx context.Context, what, lock string, fn func(ctx context.Context, tx *txn) error) error {
	c := &change{do: fn, done: make(chan struct{})}
	if d.dialect.postgres && lock != lockCases { // it flushes for many connections at once, so these need not wait for each other
		c.err = d.tryCommit(ctx, []*change{c}, lock)
		return named(what, c.err)
	}
	return named(what, d.writes.put(ctx, c, d.commit))
}

func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// What writes lock, beside requests, questions, calls and the like by their own names.
const (
	lockCases    = "cases" // alerts, incidents and aliases: they hang together
	lockAuto     = "automatic containments"
	lockSettings = "settings"
	lockSeen     = "replay cache"
)

// lockRun is for a run's record, steps and ledger.
func lockRun(id string) string { return "run/" + id }

// exec is a write of one statement.
func (d *DB) exec(ctx context.Context, what, query string, args ...any) error {
	return d.write(ctx, what, "", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// NotFoundError says that a record does not exist.
type NotFoundError struct{ Kind, ID string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("there is no %s %q", e.Kind, e.ID) }

// IsNotFound reports whether err says that a record does not exist.
func IsNotFound(err error) bool {
	var e *NotFoundError
	return errors.As(err, &e)
}

func missing(err error, kind, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &NotFoundError{Kind: kind, ID: id}
	}
	return err
}

// newID is prefix, milliseconds and 80 random bits, in letters that sort by time.
func (d *DB) newID(prefix string) string {
	ms := d.now().UnixMilli()
	b := make([]byte, 16)
	for i := range 6 {
		b[i] = byte(ms >> (8 * (5 - i))) //nolint:gosec // the lowest eight bits are meant
	}
	_, _ = rand.Read(b[6:]) // never returns an error since Go 1.24
	enc := base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
	return prefix + strings.ToLower(enc.EncodeToString(b))
}
