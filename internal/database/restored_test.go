package database_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// comesHome opens records as serve does, and says whether they know that they were restored.
func comesHome(t *testing.T, where string, box ring) (restored bool) {
	t.Helper()
	ctx := context.Background()
	d, err := database.Open(ctx, where, box)
	must(t, err)
	restored = got[bool](t)(d.ComeHome(ctx))
	at := got[time.Time](t)(d.Restored(ctx))
	if restored && time.Since(at) > time.Minute {
		t.Errorf("they were restored, and say that it was at %s", at)
	}
	must(t, d.CheckLedger(ctx, database.HouseLedger))
	must(t, d.Close())
	return restored
}

func TestRecordsThatCameOutOfABackupKnowIt(t *testing.T) {
	t.Parallel()
	box := newRing(t)
	where := ""
	if server != nil {
		where = fresh(t, template)
		live(t, openAt(t, where, box))
	} else {
		where, _ = settled(t, box)
	}
	for n, what := range []string{"the first start", "a second start"} {
		if comesHome(t, where, box) {
			t.Errorf("%s (%d) counts as a restored backup", what, n)
		}
	}
	var again string
	if server != nil {
		again = restoredDump(t, where)
	} else {
		again = filepath.Join(t.TempDir(), "our file.db")
		body := got[[]byte](t)(os.ReadFile(where))
		must(t, os.WriteFile(again, body, 0o600))
	}
	if !comesHome(t, again, box) {
		t.Error("a copy in another place does not know that it is one")
	}
	if comesHome(t, again, box) {
		t.Error("it is restored at each start")
	}
	if server != nil {
		return
	}
	// Put back into the same folder, under the same name: what lies beside it is there, the place on the disk is another.
	must(t, os.WriteFile(where+".backup", got[[]byte](t)(os.ReadFile(where)), 0o600))
	must(t, os.Rename(where+".backup", where))
	if !comesHome(t, where, box) {
		t.Error("a file that was put back does not know it")
	}
}

// restoredDump is what pg_dump and pg_restore make of a database.
func restoredDump(t *testing.T, from string) string {
	t.Helper()
	to, file := fresh(t, ""), filepath.Join(t.TempDir(), "records.dump")
	for _, c := range [][]string{{"pg_dump", "-Fc", "-f", file, from}, {"pg_restore", "--exit-on-error", "-d", to, file}} {
		if out, err := exec.Command(server.Tool(c[0]), c[1:]...).CombinedOutput(); err != nil { //nolint:gosec // the server's own tools
			t.Fatalf("%s: %v: %s", c[0], err, out)
		}
	}
	return to
}

func TestRestoredByHandIsMarkedByHand(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	if at := got[time.Time](t)(d.Restored(ctx)); !at.IsZero() {
		t.Errorf("restored at %s", at)
	}
	must(t, d.MarkRestored(ctx, "written back in place"))
	if at := got[time.Time](t)(d.Restored(ctx)); time.Since(at) > time.Minute {
		t.Errorf("restored at %s", at)
	}
	rows := got[[]database.LedgerRow](t)(d.Ledger(ctx, database.HouseLedger))
	if last := rows[len(rows)-1]; last.Kind != "database.restored" {
		t.Errorf("the ledger ends with %q", last.Kind)
	}
}
