//go:build !slim

package engine

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	serverschema "go.temporal.io/server/schema"
	"go.temporal.io/server/schema/sqlite"
)

const clusterName = "active"

// fileStore is the SQLite file of the embedded server.
type fileStore struct {
	path string
	sql  config.SQL
}

// newFileStore names the file. The attributes become PRAGMAs only without a leading underscore; with one, SQLite ignores
// them silently and a commit costs a full sync of the file.
func newFileStore(dataDir string) (*fileStore, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, "temporal.db"))
	if err != nil {
		return nil, fmt.Errorf("finding the absolute path of the data directory %q: %w", dataDir, err)
	}
	return &fileStore{path: path, sql: config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: (&url.URL{Path: path}).EscapedPath(), // it goes into a URI
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "2",      // full: a commit survives a power cut
			"busy_timeout": "10000",  // milliseconds
			"cache_size":   "-32000", // KiB; with SQLite's 2 MiB a run is dearer the more runs have ended
		},
	}}, nil
}

// open gives a connection of our own, for the moments when the server does not run.
func (s *fileStore) open() (*sql.DB, error) {
	q := url.Values{"_pragma": {"journal_mode(wal)", "synchronous(2)", "busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", "file:"+s.sql.DatabaseName+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", s.path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// prepare makes the schema when it is missing and removes what a killed process left. The caller holds the lock.
func (s *fileStore) prepare(ctx context.Context) error {
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
	if err := tables(ctx, tx); err != nil {
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
func (s *fileStore) create() error {
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

// tables makes all tables, or brings those of an earlier release up to date, in the caller's transaction, so that a crash leaves
// all of it or nothing. The file's user_version is the version of the tables; files without one were made with firstSchema.
func tables(ctx context.Context, tx *sql.Tx) error {
	var there, version int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'namespaces'").Scan(&there)
	if err == nil {
		err = tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	}
	if err != nil {
		return err
	}
	from := version
	if from == 0 {
		from = firstSchema
	}
	updates, newest, err := sqliteUpdates(from)
	if err != nil {
		return err
	}
	admin := inTx{ctx: ctx, tx: tx}
	if there == 0 {
		err, updates = sqlite.SetupSchemaOnDB(admin), nil
	}
	for _, statement := range updates {
		if err == nil {
			err = admin.Exec(statement)
		}
	}
	if err != nil || version == newest {
		return err
	}
	return admin.Exec(fmt.Sprintf("PRAGMA user_version = %d", newest))
}

// firstSchema is the version of the tables (0.11) in our first release.
const firstSchema = 11

// sqliteUpdates are the statements that lead from a version of the tables to the newest, as the server's release has them.
func sqliteUpdates(from int) (statements []string, newest int, err error) {
	const dir = "sqlite/v3/temporal/versioned"
	assets := serverschema.Assets()
	list, err := fs.ReadDir(assets, dir)
	if err != nil {
		return nil, 0, err
	}
	var versions []int
	for _, d := range list {
		n, err := strconv.Atoi(strings.TrimPrefix(d.Name(), "v0."))
		if err != nil {
			return nil, 0, fmt.Errorf("the server's release has a version %q of its tables that is not understood", d.Name())
		}
		versions = append(versions, n)
	}
	slices.Sort(versions)
	for _, n := range versions {
		newest = n
		if n <= from {
			continue
		}
		files, err := fs.Glob(assets, fmt.Sprintf("%s/v0.%d/*.sql", dir, n))
		if err != nil {
			return nil, 0, err
		}
		for _, name := range files {
			body, err := fs.ReadFile(assets, name)
			if err != nil {
				return nil, 0, err
			}
			more, err := persistence.LoadAndSplitQueryFromReaders([]io.Reader{bytes.NewReader(body)})
			if err != nil {
				return nil, 0, err
			}
			statements = append(statements, more...)
		}
	}
	if from > newest {
		return nil, 0, fmt.Errorf("its tables have version 0.%d, this release of Tourniquet knows 0.%d: start the newer release", from, newest)
	}
	return statements, newest, nil
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

func (s *fileStore) persistence() config.Persistence {
	return config.Persistence{
		DefaultStore:     sqliteplugin.PluginName,
		VisibilityStore:  sqliteplugin.PluginName,
		NumHistoryShards: 1, // fixed for the life of the file; SQLite has one writer anyway
		DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: &s.sql}},
	}
}

// close moves the write-ahead log into the file, so that a copy of the one file is complete.
func (s *fileStore) close(ctx context.Context) error {
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
