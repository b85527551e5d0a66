//go:build !slim

package engine

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
)

func postgresServer(t *testing.T) *pgtest.Server {
	t.Helper()
	pg, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	return pg
}

func TestRunsLieInPostgreSQLSurviveARestartAndOneServerUsesIt(t *testing.T) {
	t.Parallel()
	ctx, pg := t.Context(), postgresServer(t)
	cfg := testConfig(t, t.TempDir())
	cfg.Postgres = pg.URL("engine")
	// The tables are as an earlier release left them.
	old, err := newPostgresStore(cfg.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	if err := ensureDatabase(ctx, cfg.Postgres, "engine"); err != nil {
		t.Fatal(err)
	}
	if err := upgrade(&old.main, "postgresql/v12/temporal", "1.17"); err != nil {
		t.Fatal(err)
	}
	e := start(t, ctx, cfg)
	if v := schemaVersion(t, cfg.Postgres); v != "1.19" {
		t.Errorf("the tables have version %q", v)
	}
	w := startWorker(t, e)
	if err := park(ctx, e, "waiting"); err != nil {
		t.Fatal(err)
	}
	other := testConfig(t, t.TempDir())
	other.Postgres = cfg.Postgres
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := Start(soon, other); err == nil || !strings.Contains(err.Error(), "another tourniquet runs its workflow engine") {
		t.Errorf("a second server on one database: %v", err)
	}
	stop(t, w, e)

	began := time.Now()
	e = start(t, ctx, cfg)
	w = startWorker(t, e)
	decide(t, ctx, e, began.Add(10*time.Second))
	stop(t, w, e)
}

func schemaVersion(t *testing.T, address string) (version string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	if err := c.QueryRow(t.Context(), `SELECT curr_version FROM schema_version`).Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

func TestAnAddressThatDoesNotWorkIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"postgres://u:s3cr3t@127.0.0.1:1/engine", "postgres://127.0.0.1:1/engine", "postgres://u:s3cr3t@127.0.0.1:1", "://u:s3cr3t@"} {
		cfg := testConfig(t, t.TempDir())
		cfg.Postgres = address
		if _, err := Start(t.Context(), cfg); err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "workflow engine's database") {
			t.Errorf("%q gives %v", address, err)
		}
	}
}

func TestAFileOfAnEarlierReleaseGetsTheTablesOfThisOne(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	file := func(do func(db *sql.DB)) {
		t.Helper()
		st, err := newFileStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.prepare(ctx); err != nil {
			t.Fatal(err)
		}
		db, err := st.open()
		if err != nil {
			t.Fatal(err)
		}
		do(db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const last = "current_chasm_executions" // what version 0.11 brought
	count := func(db *sql.DB) (tables, version int) {
		t.Helper()
		if err := db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE name = ?`, last).Scan(&tables); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow(`PRAGMA user_version`).Scan(&version); err != nil {
			t.Fatal(err)
		}
		return tables, version
	}
	file(func(db *sql.DB) {
		if n, v := count(db); n != 1 || v != firstSchema {
			t.Errorf("a new file has %d tables of that name and version %d", n, v)
		}
	})
	updates, _, err := sqliteUpdates(firstSchema - 1)
	if err != nil || len(updates) != 1 || !strings.Contains(updates[0], last) {
		t.Errorf("from the version before lead %q, %v", updates, err)
	}
	if _, _, err := sqliteUpdates(99); err == nil || !strings.Contains(err.Error(), "start the newer release") {
		t.Errorf("the tables of a later release: %v", err)
	}
}

func TestAnOpenRunSurvivesTheTablesOfANewRelease(t *testing.T) {
	t.Parallel()
	ctx, cfg := t.Context(), testConfig(t, t.TempDir())
	e := start(t, ctx, cfg)
	w := startWorker(t, e)
	if err := park(ctx, e, "waiting"); err != nil {
		t.Fatal(err)
	}
	stop(t, w, e)
	st, err := newFileStore(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := st.open()
	if err != nil {
		t.Fatal(err)
	}
	// The file is as a release with version 0.9 left it: without what 0.10 and 0.11 brought.
	for _, do := range []string{"DROP TABLE current_chasm_executions", "DROP TABLE tasks_v2", "DROP TABLE task_queues_v2", "PRAGMA user_version = 9"} {
		if _, err := db.Exec(do); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	e = start(t, ctx, cfg)
	w = startWorker(t, e)
	decide(t, ctx, e, time.Now().Add(20*time.Second))
	stop(t, w, e)
	if db, err = st.open(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var tables, version int
	err = db.QueryRow(`SELECT count(*) FROM sqlite_master WHERE name IN ('current_chasm_executions', 'tasks_v2', 'task_queues_v2')`).Scan(&tables)
	if err == nil {
		err = db.QueryRow(`PRAGMA user_version`).Scan(&version)
	}
	if err != nil || tables != 3 || version != firstSchema {
		t.Errorf("after the start there are %d of 3 new tables, and the version is %d, %v", tables, version, err)
	}
}
