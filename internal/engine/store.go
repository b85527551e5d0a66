package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

const clusterName = "active"

// store is the SQLite file of the embedded server.
type store struct {
	path string
	sql  config.SQL
}

// newStore names the file. The attributes become PRAGMAs only without a leading underscore; with one, SQLite ignores
// them silently and a commit costs a full sync of the file.
func newStore(dataDir string) (*store, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, "temporal.db"))
	if err != nil {
		return nil, fmt.Errorf("finding the absolute path of the data directory %q: %w", dataDir, err)
	}
	return &store{path: path, sql: config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: (&url.URL{Path: path}).EscapedPath(), // it goes into a URI
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "2",     // full: a commit survives a power cut
			"busy_timeout": "10000", // milliseconds
		},
	}}, nil
}

// open gives a connection of our own, for the moments when the server does not run.
func (s *store) open() (*sql.DB, error) {
	q := url.Values{"_pragma": {"journal_mode(wal)", "synchronous(2)", "busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", "file:"+s.sql.DatabaseName+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", s.path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// prepare makes the schema when it is missing and removes what a killed process left. The caller holds the lock.
func (s *store) prepare(ctx context.Context) error {
	if err := s.create(); err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("opening the engine's database %q: %w", s.path, err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := schema(ctx, tx); err != nil {
		return fmt.Errorf("preparing the engine's database %q: %w", s.path, err)
	}
	// Rows of a killed server claim the shards for up to a minute, while runs stand still. Nobody else is alive here.
	if _, err := tx.ExecContext(ctx, "DELETE FROM cluster_membership"); err != nil {
		return fmt.Errorf("forgetting the members of the last run in %q: %w", s.path, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("preparing the engine's database %q: %w", s.path, err)
	}
	return nil
}

// create makes the empty file, which SQLite would make readable for others. It never opens one that exists: closing any
// descriptor of a database drops all locks that this process has on it.
func (s *store) create() error {
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("making the engine's database: %w", err)
	}
	return nil
}

// schema makes all tables in the caller's transaction, so that a crash leaves all of them or none.
func schema(ctx context.Context, tx *sql.Tx) error {
	var there int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'namespaces'").Scan(&there)
	if err != nil || there > 0 {
		return err
	}
	return sqlite.SetupSchemaOnDB(inTx{ctx: ctx, tx: tx})
}

// inTx is as much of an admin connection as making the schema needs.
type inTx struct {
	sqlplugin.AdminDB
	ctx context.Context //nolint:containedctx // the server's interface has no room for it
	tx  *sql.Tx
}

func (t inTx) Exec(stmt string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, stmt, args...)
	return err
}

// ensureNamespace registers the namespace before the server starts, which then knows it at once.
func (s *store) ensureNamespace(name string, retention time.Duration) error {
	ns, err := sqlite.NewNamespaceConfig(clusterName, name, false, nil)
	if err != nil {
		return fmt.Errorf("describing the namespace %q: %w", name, err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqlite.CreateNamespaces(&s.sql, ns); err != nil {
		return fmt.Errorf("registering the namespace %q: %w", name, err)
	}
	return nil
}

// fold moves the write-ahead log into the file, so that a copy of the one file is complete.
func (s *store) fold(ctx context.Context) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("folding the write-ahead log into %q: %w", s.path, err)
	}
	return nil
}
