package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
)

// keeper is a way to back an installation up while serve runs, to lose everything, and to put the backup back.
type keeper struct {
	set          func(t *testing.T, h *product) // before the first start
	backup, back func(t *testing.T, h *product)
}

// lose takes the data directory away, as a broken disk does; the key files have a backup of their own.
func (h *product) lose(t *testing.T) {
	t.Helper()
	data, lost := filepath.Join(h.dir, "data"), filepath.Join(t.TempDir(), "lost")
	err := os.Rename(data, lost)
	if err == nil {
		err = os.Mkdir(data, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keyring.json", "signing.json"} {
		body, err := os.ReadFile(filepath.Join(lost, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(data, name), string(body))
	}
}

// byCommand is an installation with SQLite and our own commands.
func byCommand(t *testing.T) keeper {
	copied := filepath.Join(t.TempDir(), "copy")
	return keeper{
		set:    func(*testing.T, *product) {},
		backup: func(t *testing.T, h *product) { t.Helper(); h.command(t, "database", "backup", copied) },
		back: func(t *testing.T, h *product) {
			t.Helper()
			h.lose(t)
			h.command(t, "database", "restore", copied)
		},
	}
}

// byDump is an installation with PostgreSQL and PostgreSQL's own tools, as docs/operate.md says. Nobody marks anything: the records find
// out by themselves that they came out of a backup.
func byDump(t *testing.T) keeper {
	t.Helper()
	pg, err := pgtest.Start(t.Context(), "max_connections=300")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	dumps := t.TempDir()
	tool := func(t *testing.T, name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(pg.Tool(name), args...).CombinedOutput(); err != nil { //nolint:gosec // the server's own tools
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	all := []string{"engine", "engine_visibility", "records"} // the engine first: records that are younger make its repeats harmless
	point := func(t *testing.T, h *product, suffix string) {
		for ref, name := range map[string]string{"records-url": "records", "engine-url": "engine"} {
			write(t, filepath.Join(h.dir, "secrets", ref), pg.URL(name+suffix))
		}
	}
	make := func(t *testing.T, name string) {
		t.Helper()
		tool(t, "psql", "-q", "-c", fmt.Sprintf("CREATE DATABASE %q", name), pg.URL("postgres"))
	}
	return keeper{
		set: func(t *testing.T, h *product) {
			t.Helper()
			make(t, "records")
			point(t, h, "")
			text, err := os.ReadFile(h.config())
			if err != nil {
				t.Fatal(err)
			}
			secrets := "file://" + filepath.ToSlash(filepath.Join(h.dir, "secrets"))
			write(t, h.config(), strings.TrimSpace(string(text))+fmt.Sprintf("\ndatabase: { driver: postgres, url: %s/records-url }\ntemporal: { mode: embedded, database_url: %s/engine-url }\n", secrets, secrets))
		},
		backup: func(t *testing.T, _ *product) {
			t.Helper()
			for _, name := range all {
				tool(t, "pg_dump", "-Fc", "-f", filepath.Join(dumps, name), pg.URL(name))
			}
		},
		back: func(t *testing.T, h *product) {
			t.Helper()
			for _, name := range all {
				to := strings.Replace(name, "engine", "engine2", 1)
				if name == "records" {
					to = "records2"
				}
				make(t, to)
				tool(t, "pg_restore", "--exit-on-error", "-d", pg.URL(to), filepath.Join(dumps, name))
			}
			point(t, h, "2")
		},
	}
}

// The worst moment: one of two people has approved when the backup is made; then the other one approves, the key is deleted, and the
// disk breaks. What the backup does not know must not happen twice, and nobody may be bound by what they cannot see.
func TestARestoredBackupAsksAnewAndRepeatsNothingThatWasDoneSince(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]func(*testing.T) keeper{"SQLite": byCommand, "PostgreSQL": byDump} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := built(t, shop.honest)
			turn(t)
			s, h := openStage(t, program)
			k := by(t)
			k.set(t, h)
			h.start(t)
			h.signIn(t)
			h.webhook(t, s.GitHubURL, s.AlertNumber)
			replace := s.signReplacement(t)
			revoke := s.slack.open(t, replace)
			h.persuaded(t, s.slack, ana, revoke, 1)
			k.backup(t, h)
			s.slack.approve(t, bo, revoke)
			h.finished(t, 40*time.Second)
			h.serve.end(t)
			rightly(t, s.World.Entries(), replace, revoke)

			k.back(t, h)
			h.start(t)
			h.goesOnAfterRestore(t, s, replace, revoke)
			h.serve.end(t)
		})
	}
}

// goesOnAfterRestore has the open run ask anew, end, and repeat nothing.
func (h *product) goesOnAfterRestore(t *testing.T, s *stage, replace, revoke string) {
	t.Helper()
	run, err := h.onlyRun(t)
	if err != nil || run.State == "done" {
		t.Fatalf("the restored run is %+v, %v: the backup was made while it waited", run, err)
	}
	again := s.slack.open(t, replace, revoke)
	if n := h.decided(t, again); n != 0 {
		t.Errorf("%d approvals from before count for %s", n, again)
	}
	for n, who := range []string{ana, bo} {
		h.persuaded(t, s.slack, who, again, n+1)
	}
	h.finished(t, 40*time.Second)
	rightly(t, s.World.Entries(), replace, revoke) // once each, by those who signed then
	bundle := filepath.Join(t.TempDir(), "bundle.zip")
	h.command(t, "evidence", "export", run.ID, "--out", bundle)
	h.command(t, "evidence", "verify", bundle)
}
