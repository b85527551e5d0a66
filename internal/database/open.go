package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Box seals what must not lie in the file as it is. KeyedHash joins secrets without storing them.
type Box interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
	KeyedHash(b []byte) string
}

// DB is the open database. It is safe for concurrent use.
type DB struct {
	writer *sql.DB // one connection: SQLite has one writer, and waiting in Go is fairer than waiting for a lock
	reader *sql.DB
	writes *together
	box    Box
	path   string
	now    func() time.Time
}

// Open opens or creates the file at path, readable by its owner only, and brings its tables up to date.
func Open(ctx context.Context, path string, box Box) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database path %q: %w", path, err)
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("database %q cannot be opened: %w", path, err)
	}
	err = errors.Join(f.Chmod(0o600), f.Close())
	if err != nil {
		return nil, fmt.Errorf("database %q cannot be kept private: %w", path, err)
	}
	d := &DB{box: box, path: path, now: time.Now, writes: &together{turn: make(chan struct{}, 1)}}
	if d.writer, err = sql.Open("sqlite", dsn(abs, "&_txlock=immediate")); err != nil {
		return nil, fmt.Errorf("database %q cannot be opened: %w", path, err)
	}
	d.writer.SetMaxOpenConns(1)
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(err, d.writer.Close())
	}
	if d.reader, err = sql.Open("sqlite", dsn(abs, "&_pragma=query_only(1)")); err != nil {
		return nil, errors.Join(fmt.Errorf("database %q cannot be read: %w", path, err), d.writer.Close())
	}
	d.reader.SetMaxOpenConns(8)
	return d, nil
}

func dsn(path, more string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return u.String() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(2)" +
		"&_pragma=foreign_keys(1)&_pragma=recursive_triggers(1)&_pragma=secure_delete(1)" + more
}

func (d *DB) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrations are not built in: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, d.writer, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		return fmt.Errorf("migrations cannot be read: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("database %q cannot be brought up to date: %w", d.path, err)
	}
	return nil
}

// Close waits for what is running and closes the file.
func (d *DB) Close() error { return errors.Join(d.reader.Close(), d.writer.Close()) }

// write runs fn in a transaction that holds the write lock from its start, and returns when that is on the disk. Writes that come
// at the same time share it (together), so fn uses the context that it is given: a caller that gives up must not interrupt what
// others write.
func (d *DB) write(ctx context.Context, what string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	if err := d.writes.put(ctx, &change{do: fn, done: make(chan struct{})}, d.commit); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// exec is a write of one statement.
func (d *DB) exec(ctx context.Context, what, query string, args ...any) error {
	return d.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
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
		b[i] = byte(ms >> (8 * (5 - i)))
	}
	_, _ = rand.Read(b[6:]) // never returns an error since Go 1.24
	enc := base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
	return prefix + strings.ToLower(enc.EncodeToString(b))
}
