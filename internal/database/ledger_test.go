package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

// written opens a database with a ledger of five entries and, beside it, a raw connection without our manners.
func written(t *testing.T) (*database.DB, *sql.DB) {
	t.Helper()
	d, path := open(t)
	for i := range 5 {
		must(t, d.Append(context.Background(), "run-1", database.Entry{ID: fmt.Sprint("e", i), Kind: "step", Actor: "system",
			Step: "contain", At: noon(), Body: map[string]any{"n": i, "text": "<b>&\u2028"}}))
	}
	return d, beside(t, path)
}

func TestTheLedgerVerifiesAndIgnoresRepeats(t *testing.T) {
	t.Parallel()
	d, _ := written(t)
	ctx := context.Background()
	must(t, d.Append(ctx, "run-1", database.Entry{ID: "e2", Kind: "other", At: noon()}))
	rows, err := d.Ledger(ctx, "run-1")
	must(t, err)
	if len(rows) != 5 || rows[2].Kind != "step" || rows[4].Seq != 5 {
		t.Fatalf("rows %+v", rows)
	}
	must(t, database.VerifyLedger(rows))
	must(t, d.CheckLedger(ctx, "run-1"))
}

func TestAnyChangedColumnOfAnyRowIsNamed(t *testing.T) {
	t.Parallel()
	columns := map[string]string{
		"run": `'run-2'`, "id": `id || 'x'`, "kind": `'x'`, "actor": `'x'`, "step": `''`, "at": `at + 1`,
		"commitment": `replace(commitment, 'sha256', 'sha257')`, "prev": `prev || '0'`, "hash": `hash || '0'`,
		"salt": `zeroblob(32)`, "body": `replace(body, '"n"', '"m"')`, "salt = NULL, body": `NULL`, "seq": `seq + 100`,
	}
	if server != nil {
		columns["salt"] = `decode(repeat('00', 32), 'hex')`
	}
	for column, value := range columns {
		for seq := int64(1); seq <= 5; seq++ {
			t.Run(fmt.Sprint(column, seq), func(t *testing.T) {
				t.Parallel()
				d, raw := written(t)
				must(t, failed(raw.Exec(dropTrigger("ledger_no_update"))))
				_, err := raw.Exec(fmt.Sprintf(`UPDATE ledger SET %s = %s WHERE seq = %d`, column, value, seq))
				must(t, err)
				var damage *chain.Damage
				if err := d.CheckLedger(context.Background(), "run-1"); !errors.As(err, &damage) || damage.Seq != seq {
					t.Errorf("want sequence %d named, got %v", seq, err)
				}
			})
		}
	}
}

func TestMissingReorderedAndCutOffEntriesAreNamed(t *testing.T) {
	t.Parallel()
	d, raw := written(t)
	ctx := context.Background()
	rows, err := d.Ledger(ctx, "run-1")
	must(t, err)
	var damage *chain.Damage
	gap := append(append([]database.LedgerRow{}, rows[:2]...), rows[3:]...)
	if err := database.VerifyLedger(gap); !errors.As(err, &damage) || damage.Seq != 3 || damage.Kind != chain.Missing {
		t.Errorf("gap: %v", err)
	}
	swapped := append([]database.LedgerRow{}, rows...)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	if err := database.VerifyLedger(swapped); !errors.As(err, &damage) || damage.Seq != 2 || damage.Kind != chain.Reordered {
		t.Errorf("swap: %v", err)
	}
	must(t, failed(raw.Exec(dropTrigger("ledger_no_delete"))))
	must(t, failed(raw.Exec(`DELETE FROM ledger WHERE seq = 5`)))
	if err := d.CheckLedger(ctx, "run-1"); !errors.As(err, &damage) || damage.Seq != 5 || damage.Kind != chain.CutOff {
		t.Errorf("cut off: %v", err)
	}
}

// dropTrigger is what somebody with the rights of an administrator may do; what follows must then be noticed.
func dropTrigger(name string) string {
	if server != nil {
		return "DROP TRIGGER " + name + " ON ledger"
	}
	return "DROP TRIGGER " + name
}

func TestTheDatabaseItselfRefusesToChangeTheLedger(t *testing.T) {
	t.Parallel()
	instead := func(sqlite, postgres string) string {
		if server != nil {
			return postgres
		}
		return sqlite
	}
	_, raw := written(t)
	for _, q := range []string{
		`DELETE FROM ledger`, `UPDATE ledger SET hash = 'x'`, `UPDATE ledger SET body = '{}'`, `UPDATE ledger SET at = 0`,
		`DELETE FROM ledger_heads`, `UPDATE ledger_heads SET seq = 1`,
		`INSERT INTO ledger SELECT run, 9, 'z', kind, actor, step, at, commitment, prev, hash, salt, body FROM ledger WHERE seq = 1`,
		instead(`INSERT OR REPLACE INTO ledger SELECT run, seq, id, 'x', actor, step, at, commitment, prev, hash, salt, body FROM ledger WHERE seq = 1`,
			`TRUNCATE ledger`),
	} {
		if _, err := raw.Exec(q); err == nil || !strings.Contains(err.Error(), "ledger") {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestErasingABodyKeepsTheChain(t *testing.T) {
	t.Parallel()
	d, _ := written(t)
	ctx := context.Background()
	must(t, d.EraseBody(ctx, "run-1", 2))
	must(t, d.EraseBody(ctx, "run-1", 2))
	must(t, d.CheckLedger(ctx, "run-1"))
	rows, err := d.Ledger(ctx, "run-1")
	must(t, err)
	if len(rows) != 6 || rows[1].Body != nil || rows[1].Salt != nil || rows[5].Kind != chain.KindErased {
		t.Errorf("rows %+v", rows)
	}
	if err := d.EraseBody(ctx, "run-1", 6); err == nil {
		t.Error("the note of an erasure was erased")
	}
	if err := d.EraseBody(ctx, "run-1", 99); !database.IsNotFound(err) {
		t.Errorf("erasing nothing: %v", err)
	}
}

func TestConcurrentAppendsMakeOneChain(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := d.Append(context.Background(), "r", database.Entry{ID: fmt.Sprint(i), Kind: "k", At: noon()}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	must(t, d.CheckLedger(context.Background(), "r"))
	if h, err := d.LedgerHead(context.Background(), "r"); err != nil || h.Seq != 20 {
		t.Errorf("head %+v, %v", h, err)
	}
}
