package database_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// settled is a file with a life in it that nobody has open.
func settled(t *testing.T, box ring, more ...func(*database.DB)) (path string, secret incident.SecretRef) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tourniquet.db")
	d, err := database.Open(context.Background(), path, box)
	must(t, err)
	secret = live(t, d)
	for _, do := range more {
		do(d)
	}
	must(t, d.Close())
	raw := beside(t, path)
	notEmpty(t, raw)
	must(t, raw.Close())
	return path, secret
}

// fresh is an empty PostgreSQL; with tables as serve makes them, or without any.
func fresh(t *testing.T, from string) string {
	t.Helper()
	return got[string](t)(server.Database(context.Background(), from))
}

// rowsAt counts all rows of a PostgreSQL; none where there are no tables.
func rowsAt(t *testing.T, address string) (n int64) {
	t.Helper()
	raw := beside(t, address)
	for _, name := range words(t, raw, `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'goose_db_version'`) {
		var one int64
		must(t, raw.QueryRow(`SELECT count(*) FROM `+name).Scan(&one))
		n += one
	}
	return n
}

func TestAllRecordsMoveFromAFileToPostgreSQL(t *testing.T) {
	t.Parallel()
	if server == nil {
		return // the second round has one
	}
	ctx, box := context.Background(), newRing(t)
	for name, at := range map[string]string{"without tables": fresh(t, ""), "with tables": fresh(t, template)} {
		path, secret := settled(t, box)
		m := database.Move{From: path, To: at, Box: box, Look: true}
		before := onDisk(t, path)
		would := got[database.Moved](t)(m.Run(ctx))
		if would.Done || rowsAt(t, at) != 0 || string(before) != string(onDisk(t, path)) {
			t.Errorf("%s: a look changed something: %+v", name, would)
		}
		m.Look = false
		did := got[database.Moved](t)(m.Run(ctx))
		if !did.Done || did.Before || did.Rows() != would.Rows() || did.Digest != would.Digest || did.Ledgers < 6 {
			t.Errorf("%s: it did %+v, and said %+v", name, did, would)
		}
		for _, table := range did.Tables {
			if table.Rows == 0 {
				t.Errorf("%s: live (life_test.go) puts nothing into table %q, so nothing shows that it moves", name, table.Name)
			}
		}
		if n := rowsAt(t, at); n != did.Rows()+2 { // the note in the settings, and an entry in the ledger of the house
			t.Errorf("%s: %d rows are there, %d moved", name, n, did.Rows())
		}
		goesOn(t, openAt(t, at, box), secret)

		again := got[database.Moved](t)(m.Run(ctx))
		if !again.Done || !again.Before {
			t.Errorf("%s: a second move says %+v", name, again)
		}
		if _, err := database.Open(ctx, path, box); err == nil || !strings.Contains(err.Error(), "moved to postgres://") || strings.Contains(err.Error(), server.Password()) {
			t.Errorf("%s: the file that was left opens with %v", name, err)
		}
		m.To = fresh(t, "")
		if _, err := m.Run(ctx); err == nil || !strings.Contains(err.Error(), "moved to") || rowsAt(t, m.To) != 0 {
			t.Errorf("%s: what was left moved a second time: %v", name, err)
		}
	}
}

// goesOn lives on with records that moved.
func goesOn(t *testing.T, d *database.DB, secret incident.SecretRef) {
	t.Helper()
	ctx := context.Background()
	must(t, d.CheckRing(ctx))
	if plain := got[[]byte](t)(d.OpenSealed(ctx, secret)); string(plain) != livedSecret {
		t.Errorf("the sealed secret is %q", plain)
	}
	for i := range 5 {
		run := fmt.Sprint("run-", i)
		must(t, d.CheckLedger(ctx, run))
		must(t, d.Append(ctx, run, database.Entry{ID: "after", Kind: "run.note", At: noon()}))
		must(t, d.CheckLedger(ctx, run))
	}
	house := got[[]database.LedgerRow](t)(d.Ledger(ctx, database.HouseLedger))
	if last := house[len(house)-1]; last.Kind != "database.moved" {
		t.Errorf("the ledger of the house ends with %q", last.Kind)
	}
	must(t, d.CheckLedger(ctx, database.HouseLedger))
	a := alert("one more")
	must(t, failed(d.StoreAlert(ctx, incident.Finding{}, a, byID("new"))))
	if s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("finger\xff3"), byID("k3"))); !s.Duplicate {
		t.Error("an alert that was there is not known any more")
	}
	must(t, d.PutRun(ctx, incident.Run{ID: "run-new", Incident: "inc-new", Number: 1, State: "done"}))
	if runs := got[[]incident.Run](t)(d.Runs(ctx, database.Filter{})); len(runs) != 6 || runs[0].ID != "run-new" {
		t.Errorf("the list begins with %q of %d", runs[0].ID, len(runs))
	}
	row, mine, err := d.BeginCall(ctx, call("c-1", "d"))
	if err != nil || mine || row.State != database.CallDone {
		t.Errorf("a call that was made could be made again: %+v, %v, %v", row, mine, err)
	}
	if err := d.Append(ctx, "run-1", database.Entry{ID: "after", Kind: "run.note", At: noon()}); err != nil {
		t.Error(err)
	}
}

func TestAMoveIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	if server == nil {
		return
	}
	ctx, box := context.Background(), newRing(t)
	good, _ := settled(t, box)
	open, _ := settled(t, box, func(d *database.DB) {
		must(t, d.PutRun(ctx, incident.Run{ID: "run-open", Incident: "inc-9", Number: 1, State: "waiting"}))
	})
	old, _ := settled(t, box, func(d *database.DB) { must(t, d.Down(ctx, 5)) })
	damaged, _ := settled(t, box)
	harm := beside(t, damaged)
	for _, do := range []string{`DROP TRIGGER ledger_no_update`, `UPDATE ledger SET kind = 'run.nothing' WHERE run = 'run-3' AND seq = 7`} {
		must(t, failed(harm.Exec(do)))
	}
	foreign := filepath.Join(t.TempDir(), "other.db")
	must(t, failed(beside(t, foreign).Exec(`CREATE TABLE a (b)`)))

	bare := fresh(t, "")
	used := fresh(t, template)
	live(t, openAt(t, used, newRing(t)))
	older := fresh(t, template)
	must(t, openAt(t, older, box).Down(ctx, 5))
	theirs := fresh(t, "")
	must(t, failed(beside(t, theirs).Exec(`CREATE TABLE customers (id INT)`)))
	more := fresh(t, template)
	must(t, failed(beside(t, more).Exec(`CREATE TABLE customers (id INT)`)))

	for name, c := range map[string]struct {
		from, to string
		box      ring
		why      string
	}{
		"no file":                    {filepath.Join(t.TempDir(), "none.db"), bare, box, "there is no database"},
		"another program's file":     {foreign, bare, box, "is no database of Tourniquet"},
		"an open run":                {open, bare, box, `"run-open"`},
		"another key ring":           {good, bare, newRing(t), "another key ring"},
		"tables of another release":  {old, bare, box, "start and stop serve of this release once"},
		"a damaged ledger":           {damaged, bare, box, `ledger of run "run-3" is damaged at sequence 7`},
		"no PostgreSQL":              {good, good, box, "begins with postgres://"},
		"a PostgreSQL that is away":  {good, "postgres://u:s3cr3t-value@127.0.0.1:1/db", box, "cannot be reached"},
		"a target with records":      {good, used, box, "is not empty"},
		"a target of another schema": {good, older, box, "give the move a fresh database"},
		"somebody else's database":   {good, theirs, box, `"customers" first`},
		"a shared database":          {good, more, box, "customers"},
	} {
		counted := map[string]int64{bare: rowsAt(t, bare), used: rowsAt(t, used)}
		_, err := database.Move{From: c.from, To: c.to, Box: c.box}.Run(ctx)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), server.Password()) {
			t.Errorf("%s: the password is in %q", name, err)
		}
		for at, n := range counted {
			if rowsAt(t, at) != n {
				t.Errorf("%s: something was written", name)
			}
		}
	}
	openAt(t, good, box) // nothing was left
}

func TestAMoveThatIsCutOffAnywhereIsResumedByDoingItAgain(t *testing.T) {
	t.Parallel()
	if server == nil {
		return
	}
	box := newRing(t)
	path, secret := settled(t, box)
	at := fresh(t, "")
	var steps []string
	look := database.Move{From: path, To: fresh(t, ""), Box: box}
	look.Note = func(s string) { steps = append(steps, s) }
	look.Look = true
	must(t, failed(look.Run(context.Background())))
	cuts := 0
	for n := 1; ; n++ {
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		m := database.Move{From: path, To: at, Box: box, Note: func(string) {
			if seen++; seen == n {
				cancel()
			}
		}}
		out, err := m.Run(ctx)
		cancel()
		if seen < n {
			must(t, err)
			if !out.Done {
				t.Errorf("it ended with %+v", out)
			}
			break
		}
		cuts++
		if err == nil {
			t.Fatalf("cut at step %d, and it says that all went well", n)
		}
		if rows := rowsAt(t, at); rows != 0 {
			t.Fatalf("cut at step %d: %d rows were left behind", n, rows)
		}
	}
	if cuts < 3*len(steps) || len(steps) < 15 {
		t.Errorf("it was cut %d times, at %q and further", cuts, steps)
	}
	goesOn(t, openAt(t, at, box), secret)
}

func TestAMoveSurvivesThePostgreSQLThatDies(t *testing.T) {
	t.Parallel()
	if server == nil {
		return
	}
	ctx, box := context.Background(), newRing(t)
	path, secret := settled(t, box)
	pg, err := pgtest.Start(ctx, "fsync=on")
	must(t, err)
	t.Cleanup(func() { _ = pg.Stop() })
	at := got[string](t)(pg.Database(ctx, ""))
	m := database.Move{From: path, To: at, Box: box, Note: func(s string) {
		if s == "copying runs" {
			must(t, pg.Kill())
		}
	}}
	if _, err := m.Run(ctx); err == nil {
		t.Fatal("it says that all went well")
	}
	must(t, pg.Up(ctx))
	if n := rowsAt(t, at); n != 0 {
		t.Errorf("%d rows were left behind", n)
	}
	m.Note = nil
	must(t, failed(m.Run(ctx)))
	d, err := database.Open(ctx, at, box)
	must(t, err)
	goesOn(t, d, secret)
	must(t, d.Close())
}

// The environment of a process that moves and is killed.
const (
	childFrom = "MOVE_CHILD_FROM"
	childTo   = "MOVE_CHILD_TO"
	childKey  = "MOVE_CHILD_KEY"
	childStep = "MOVE_CHILD_STEP"
)

// moveAsChild is the process of the test below: it kills itself at a step, as kill -9 does.
func moveAsChild() (code int) {
	m := database.Move{From: os.Getenv(childFrom), To: os.Getenv(childTo), Box: ring{[]byte(os.Getenv(childKey))}, Note: func(s string) {
		if s == os.Getenv(childStep) {
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				_ = p.Kill()
			}
			select {}
		}
	}}
	if _, err := m.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestAMoveSurvivesKillMinus9(t *testing.T) {
	t.Parallel()
	if server == nil {
		return
	}
	ctx, box := context.Background(), ring{[]byte(strings.Repeat("k", 32))}
	path, secret := settled(t, box)
	at := fresh(t, "")
	for _, step := range []string{"reading ledger", "copying alerts", "copying ledger", "comparing settings", ""} {
		c := exec.Command(os.Args[0]) //nolint:gosec // this very program
		c.Env = append(os.Environ(), childFrom+"="+path, childTo+"="+at, childKey+"="+string(box.key), childStep+"="+step)
		out, err := c.CombinedOutput()
		var ended *exec.ExitError
		if step != "" && (!errors.As(err, &ended) || ended.Exited()) || step == "" && err != nil {
			t.Fatalf("at %q it ended by itself: %v: %s", step, err, out)
		}
		if n := rowsAt(t, at); step != "" && n != 0 {
			t.Errorf("killed at %q: %d rows were left behind", step, n)
		}
	}
	_, err := database.Open(ctx, path, box)
	if err == nil {
		t.Error("the file that was left opens")
	}
	goesOn(t, openAt(t, at, box), secret)
}
