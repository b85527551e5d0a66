package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// house is a data directory whose two databases are written to as serve does it: an intent into the records, then the step into
// the engine, then the receipt into the records.
func house(t *testing.T) (dir string, records, engine *sql.DB) {
	t.Helper()
	dir = t.TempDir()
	make := func(name string) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, name)+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)&_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.Exec(`CREATE TABLE said (n INTEGER PRIMARY KEY, what TEXT)`); err != nil {
			t.Fatal(err)
		}
		return db
	}
	return dir, make(Records), make(Engine)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRow(`SELECT count(*) FROM said`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBothDatabasesAreCopiedAtOneMomentWhileTheyAreWritten(t *testing.T) {
	t.Parallel()
	dir, records, engine := house(t)
	ctx, stop := context.WithCancel(context.Background())
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			for _, do := range []struct {
				db   *sql.DB
				what string
			}{{records, "intent"}, {engine, "step"}, {records, "receipt"}} {
				if _, err := do.db.Exec(`INSERT INTO said (what) VALUES (?)`, fmt.Sprint(do.what, n)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for i := range 8 {
		to := filepath.Join(t.TempDir(), "copy")
		if _, err := Take(context.Background(), Files{Dir: dir}, to); err != nil {
			t.Fatal(err)
		}
		// After n steps of the engine the records hold n intents and n receipts, or one intent more or one receipt less.
		said, steps := count(t, filepath.Join(to, Records)), count(t, filepath.Join(to, Engine))
		if d := said - 2*steps; d < -1 || d > 1 {
			t.Errorf("copy %d: %d records beside %d steps: that was no moment", i, said, steps)
		}
	}
	stop()
	writer.Wait()
}

func TestACopyIsPrivateWholeAndComesBack(t *testing.T) {
	t.Parallel()
	dir, records, _ := house(t)
	if _, err := records.Exec(`INSERT INTO said (what) VALUES ('kept')`); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, evidence, "ab", "blob"), "evidence")
	put(t, filepath.Join(dir, "keyring.json"), "ring")
	to := filepath.Join(t.TempDir(), "copy")
	bare := filepath.Join(t.TempDir(), "bare")
	m, err := Take(t.Context(), Files{Dir: dir, Evidence: true, Keys: []string{filepath.Join(dir, "keyring.json")}}, to)
	if err != nil || m.Evidence != 1 || !m.Keys {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := Take(t.Context(), Files{Dir: dir}, bare); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bare, keys)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("key files went along without being asked for")
	}
	err = filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "data")
	put(t, filepath.Join(again, Records+".partial"), "of an attempt that was cut off")
	put(t, filepath.Join(again, evidence, "ab", "blob"), "evidence")
	if _, err := Put(to, again); err != nil {
		t.Fatal(err)
	}
	if n := count(t, filepath.Join(again, Records)); n != 1 {
		t.Errorf("%d records came back", n)
	}
	for name, want := range map[string]string{"keyring.json": "ring", evidence + "/ab/blob": "evidence"} {
		if body, err := os.ReadFile(filepath.Join(again, name)); err != nil || string(body) != want {
			t.Errorf("%s is %q, %v", name, body, err)
		}
	}
}

func TestWhatWouldLoseSomethingIsRefused(t *testing.T) {
	t.Parallel()
	dir, _, _ := house(t)
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := Take(t.Context(), Files{Dir: dir}, to); err != nil {
		t.Fatal(err)
	}
	refused := func(why string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("wanted %q, it says %v", why, err)
		}
	}
	_, err := Take(t.Context(), Files{Dir: dir}, to)
	refused("exists already", err)
	_, err = Take(t.Context(), Files{Dir: t.TempDir()}, filepath.Join(t.TempDir(), "copy"))
	refused("nothing to back up", err)
	_, err = Put(to, dir)
	refused("nothing is written over", err)
	_, err = Put(t.TempDir(), filepath.Join(t.TempDir(), "data"))
	refused("is no backup", err)

	body, err := os.ReadFile(filepath.Join(to, Records))
	if err != nil {
		t.Fatal(err)
	}
	body[len(body)-1] ^= 1
	put(t, filepath.Join(to, Records), string(body))
	data := filepath.Join(t.TempDir(), "data")
	_, err = Put(to, data)
	refused("is not what was written", err)
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a damaged backup left something behind")
	}
	put(t, filepath.Join(to, manifest), `{"files":{"tourniquet.db":"x","temporal.db":"x","../../etc/passwd":"x"}}`)
	_, err = Put(to, data)
	refused("outside itself", err)
}
