package database_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

func call(id, digest string) database.CallRow {
	return database.CallRow{ID: id, Run: "run-1", Request: "rq-1", Step: "revoke", Action: "key.revoke", Target: "k1",
		Digest: digest, StartedAt: noon()}
}

// TestOneCallIsFreshOnceWhateverTheOrder drives call rows against the plainest model of them: a map.
func TestOneCallIsFreshOnceWhateverTheOrder(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	var round atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		prefix := fmt.Sprint("c", round.Add(1), "-") // one file, a new set of ids for every round
		model := map[string]database.CallRow{}
		id := rapid.SampledFrom([]string{"a", "b", "c"})
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				c := call(prefix+id.Draw(t, "id"), rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "digest"))
				row, fresh, err := d.BeginCall(ctx, c)
				was, known := model[c.ID]
				switch {
				case known && was.Digest != c.Digest:
					if err == nil || fresh {
						t.Fatalf("another content under %q: fresh %v, %v", c.ID, fresh, err)
					}
				case err != nil || fresh == known:
					t.Fatalf("known %v, fresh %v, %v", known, fresh, err)
				case known && (row.State != was.State || string(row.Receipt) != string(was.Receipt)):
					t.Fatalf("row %+v, want %+v", row, was)
				case !known:
					model[c.ID] = row
				}
			},
			"finish": func(t *rapid.T) {
				name := prefix + id.Draw(t, "id")
				state := rapid.SampledFrom([]string{"done", "failed", "started"}).Draw(t, "state")
				receipt := json.RawMessage(fmt.Sprintf(`{"n":%d}`, rapid.IntRange(0, 9).Draw(t, "n")))
				err := d.FinishCall(ctx, name, state, receipt)
				was, known := model[name]
				allowed := known && state != "started" && (was.State == "started" || was.State == state)
				if (err == nil) != allowed {
					t.Fatalf("finish %q from %+v: %v", state, was, err)
				}
				if allowed && was.State == "started" {
					was.State, was.Receipt = state, receipt
					model[name] = was
				}
			},
			"": func(t *rapid.T) {
				for name, want := range model {
					row, err := d.Call(ctx, name)
					if err != nil || row.State != want.State || string(row.Receipt) != string(want.Receipt) {
						t.Fatalf("row %+v, want %+v, %v", row, want, err)
					}
				}
			},
		})
	})
}

func TestManyWorkersBeginningOneCallGiveOneFreshRow(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	var fresh atomic.Int64
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			_, f, err := d.BeginCall(context.Background(), call("c1", "d1"))
			if err != nil {
				t.Error(err)
			}
			if f {
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	if fresh.Load() != 1 {
		t.Errorf("%d workers may send", fresh.Load())
	}
	if rows := got[[]database.CallRow](t)(d.Calls(context.Background(), "run-1")); len(rows) != 1 || !rows[0].StartedAt.Equal(noon()) {
		t.Errorf("rows %+v", rows)
	}
}

func TestTheFirstUndoRecordOfAStepStays(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	u := database.UndoRow{Run: "r", Step: "contain", Action: "key.contain", Target: "k1", At: noon(), Before: json.RawMessage(`{"state":"open"}`)}
	must(t, d.PutUndo(ctx, u))
	u.Before = json.RawMessage(`{"state":"contained"}`)
	must(t, d.PutUndo(ctx, u))
	must(t, d.SetUndoLeft(ctx, "r", "contain", "", map[string]string{"state": "contained"}))
	must(t, d.MarkUndone(ctx, "r", "contain"))
	rows := got[[]database.UndoRow](t)(d.Undos(ctx, "r"))
	if len(rows) != 1 || string(rows[0].Before) != `{"state":"open"}` || rows[0].Left["state"] != "contained" || rows[0].UndoneAt.IsZero() {
		t.Errorf("undo %+v", rows)
	}
	if err := d.MarkUndone(ctx, "r", "nothing"); !database.IsNotFound(err) {
		t.Errorf("undoing nothing: %v", err)
	}
}

func TestWhatIsUsedByNowIsNotInForceUntilNobodyUsesIt(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	must(t, d.PutUndo(ctx, database.UndoRow{Run: "r", Step: "fresh", Action: "key.discard", Target: "a new key", At: noon()}))
	must(t, d.PutUndo(ctx, database.UndoRow{Run: "r", Step: "contain", Action: "key.restore", Target: "k1", At: noon()}))
	must(t, d.SetUndoLeft(ctx, "r", "fresh", "k2", map[string]string{"id": "k2"}))
	for _, by := range []string{"shop", "blog", "shop"} {
		must(t, d.SetUndoUse(ctx, "r", "fresh", by, true))
	}
	must(t, d.SetUndoUse(ctx, "other", "fresh", "mail", true))
	rows := got[[]database.UndoRow](t)(d.Undos(ctx, "r"))
	if u := rows[0]; u.InForce() || u.Target != "k2" || !slices.Equal(u.UsedBy, []string{"blog", "shop"}) || !rows[1].InForce() {
		t.Errorf("%+v", rows)
	}
	must(t, d.SetUndoUse(ctx, "r", "fresh", "shop", false))
	if u := got[[]database.UndoRow](t)(d.Undos(ctx, "r"))[0]; u.InForce() {
		t.Errorf("blog uses it still: %+v", u)
	}
	must(t, d.SetUndoUse(ctx, "r", "fresh", "blog", false))
	if u := got[[]database.UndoRow](t)(d.Undos(ctx, "r"))[0]; !u.InForce() {
		t.Errorf("nobody uses it: %+v", u)
	}
	must(t, d.MarkUndone(ctx, "r", "fresh"))
	if u := got[[]database.UndoRow](t)(d.Undos(ctx, "r"))[0]; u.InForce() {
		t.Errorf("it was taken back: %+v", u)
	}
}
