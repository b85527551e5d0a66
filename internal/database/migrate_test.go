package database_test

import (
	"context"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// Every migration is taken back and made again while the tables are full: what an operator does who goes back a release.
func TestEveryMigrationGoesDownAndUpAgainWithRecordsInTheTables(t *testing.T) {
	t.Parallel()
	ctx, box := context.Background(), newRing(t)
	where := ""
	if server != nil {
		where = fresh(t, template)
		live(t, openAt(t, where, box))
	} else {
		where, _ = settled(t, box)
	}
	d, err := database.Open(ctx, where, box)
	must(t, err)
	newest := got[int64](t)(d.Version(ctx))
	must(t, d.Close())
	for version := newest - 1; version >= 0; version-- {
		d, err := database.Open(ctx, where, box)
		must(t, err)
		if version > 0 { // what is taken back to the beginning is gone, and that is said
			must(t, d.CheckLedger(ctx, "run-1"))
		}
		must(t, d.Down(ctx, version))
		if at := got[int64](t)(d.Version(ctx)); at != version {
			t.Errorf("version %d after going down to %d", at, version)
		}
		must(t, d.Close())
		again, err := database.Open(ctx, where, box)
		if err != nil {
			t.Fatalf("up from version %d: %v", version, err)
		}
		if at := got[int64](t)(again.Version(ctx)); at != newest {
			t.Errorf("version %d after going up from %d", at, version)
		}
		if version == 0 {
			if rows, err := again.Ledger(ctx, "run-1"); err != nil || len(rows) != 0 {
				t.Errorf("after version 0 there are %d entries, %v", len(rows), err)
			}
		} else {
			must(t, again.CheckLedger(ctx, "run-1"))
			row, mine, err := again.BeginCall(ctx, call("c-1", "d"))
			if err != nil || mine || row.State != database.CallDone {
				t.Errorf("after version %d the call that was made is %+v, %v, %v", version, row, mine, err)
			}
		}
		if version == 0 {
			live(t, again) // and there is room for a new life
		}
		must(t, again.Close())
	}
}
