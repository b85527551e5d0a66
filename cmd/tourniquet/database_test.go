package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// oneShell runs a command in an environment of one variable.
func oneShell(name, value string, args ...string) (code int, out, talk string) {
	var o, e bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(""), &o, &e, func(k string) (string, bool) { return value, k == name })
	return code, o.String(), e.String()
}

func TestRecordsMoveByCommandAndServeThenOpensThePostgreSQL(t *testing.T) {
	t.Parallel()
	pg, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Stop() })
	address, err := pg.Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "tourniquet.yaml")
	if err := os.WriteFile(path, []byte("server: { data_dir: data }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := engine.LockDir(dataDir(cfg))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadOrCreate(ringPath(cfg), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), filepath.Join(dataDir(cfg), "tourniquet.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{db.CheckRing(t.Context()), db.Append(t.Context(), "run-1", database.Entry{ID: "e", Kind: "run.note", At: time.Now()}), db.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	move := func(more ...string) (int, string, string) {
		return oneShell("RECORDS", address, append([]string{"database", "move", "--config", path}, more...)...)
	}
	if code, _, talk := move("--to", "env://RECORDS"); code != exitFailed || !strings.Contains(talk, "stop serve") {
		t.Errorf("beside a serve it ends with %d: %s", code, talk)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{}, {"--to", address}, {"--to", "env://NOTHING"}} {
		if code, out, talk := move(c...); code != exitMisuse || strings.Contains(out+talk, pg.Password()) {
			t.Errorf("%d values: it ends with %d: %s", len(c), code, talk)
		}
	}
	if code, out, talk := move("--to", "env://RECORDS", "--dry-run"); code != exitGood || !strings.Contains(out, "nothing was changed") {
		t.Errorf("a look ends with %d: %s%s", code, out, talk)
	}
	code, out, talk := move("--to", "env://RECORDS")
	if code != exitGood || !strings.Contains(out, "url: env://RECORDS }") || !strings.Contains(out, "1 ledgers verify") || strings.Contains(out+talk, pg.Password()) {
		t.Fatalf("it ends with %d: %s%s", code, out, talk)
	}
	var said database.Moved
	if code, out, _ := move("--to", "env://RECORDS", "-o", "json"); code != exitGood || json.Unmarshal([]byte(out), &said) != nil || !said.Before {
		t.Errorf("again: %d, %s", code, out)
	}
	db, err = database.Open(t.Context(), address, ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CheckLedger(t.Context(), "run-1"); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("server: { data_dir: data }\ndatabase: { driver: postgres, url: env://RECORDS }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, talk := move("--to", "env://RECORDS"); code != exitMisuse {
		t.Errorf("with PostgreSQL configured it ends with %d: %s", code, talk)
	}
}

func TestBackupsAndRestoresThatWouldLoseSomethingAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := config("file.yaml", "server: { data_dir: data }\n")
	server := config("server.yaml", "server: { data_dir: data }\ndatabase: { driver: postgres, url: env://X }\n")
	cluster := config("engine.yaml", "server: { data_dir: data }\ntemporal: { database_url: env://X }\n")
	held, err := engine.LockDir(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config, command, why string
		code                 int
	}{
		{server, "backup", "pg_dump", exitMisuse},
		{server, "restore", "pg_restore", exitMisuse},
		{cluster, "backup", "state elsewhere", exitMisuse},
		{file, "backup", "nothing to back up", exitFailed},
		{file, "restore", "the key ring", exitFailed},
	} {
		code, _, talk := oneShell("NOTHING", "", "database", c.command, filepath.Join(dir, "copy"), "--config", c.config)
		if code != c.code || !strings.Contains(talk, c.why) {
			t.Errorf("%s with %s ends with %d: %s", c.command, filepath.Base(c.config), code, talk)
		}
	}
	if _, err := seal.LoadOrCreate(filepath.Join(dir, "data", "keyring.json"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"restore", filepath.Join(dir, "copy")}, {"mark-restored"}} {
		if code, _, talk := oneShell("NOTHING", "", append([]string{"database", "--config", file}, command...)...); code != exitFailed || !strings.Contains(talk, "stop serve") {
			t.Errorf("%s beside a serve ends with %d: %s", command[0], code, talk)
		}
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	if code, _, talk := oneShell("NOTHING", "", "database", "restore", filepath.Join(dir, "copy"), "--config", file); code != exitFailed || !strings.Contains(talk, "is no backup") {
		t.Errorf("a folder that is no backup: %d, %s", code, talk)
	}
	if code, _, talk := oneShell("NOTHING", "", "database", "mark-restored", "--config", file); code != exitFailed || !strings.Contains(talk, "no records to mark") {
		t.Errorf("marking nothing ends with %d: %s", code, talk)
	}
}
