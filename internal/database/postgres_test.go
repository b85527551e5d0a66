package database_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestWhatAStrangerSendsIsKeptWhateverBytesItIs(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	seen := map[string]bool{}
	for i, odd := range []string{"\x00", "a\x00b", "\xff\xfe", "a\xffb", strings.Repeat("x", 100_000), strings.Repeat("x", 100_001), "'); DROP TABLE alerts; --", "?1 ?", "$1"} {
		a := alert(fmt.Sprint("same", i))
		a.Title, a.Fingerprint = odd, odd
		alias := []database.Alias{{Provider: odd, Kind: database.AliasID, Value: odd}}
		if len(odd) > 1000 {
			alias[0].Provider = "gemini"
		}
		first := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{Body: []byte(odd)}, a, alias))
		again := a
		again.ID = ""
		if s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, again, alias)); !s.Duplicate || s.AlertID != first.AlertID {
			t.Errorf("%.20q: a repeat is %+v", odd, s)
		}
		if f := got[incident.Finding](t)(d.Finding(ctx, first.AlertID)); string(f.Body) != odd {
			t.Errorf("%.20q: the finding is %.20q", odd, f.Body)
		}
		if seen[first.IncidentID] {
			t.Errorf("%.20q: two different keys share an incident", odd)
		}
		seen[first.IncidentID] = true
		must(t, d.SetFate(ctx, first.AlertID, incident.FateSetAside, odd, ""))
		must(t, failed(d.Runs(ctx, database.Filter{Text: odd})))
		must(t, d.RecordStray(ctx, database.Attempt{Request: odd, Person: odd, Verb: "approve", At: noon(), Decision: json.RawMessage(`{}`)}))
	}
	must(t, d.CheckLedger(ctx, database.HouseLedger))
}

func TestTablesGoDownAndUpAgain(t *testing.T) {
	t.Parallel()
	d, where := open(t)
	ctx := context.Background()
	must(t, d.PutSetting(ctx, "a", "b"))
	newest := got[int64](t)(d.Version(ctx))
	if newest < 3 {
		t.Fatalf("version %d", newest)
	}
	must(t, d.Append(ctx, "run-1", database.Entry{ID: "e", Kind: "k", At: noon()}))
	must(t, d.Down(ctx, 0))
	if n := got[int64](t)(d.Version(ctx)); n != 0 {
		t.Errorf("version %d after going down", n)
	}
	if _, _, err := d.Setting(ctx, "a"); err == nil {
		t.Error("the tables are still there")
	}
	again := openAt(t, where, newRing(t))
	if n := got[int64](t)(again.Version(ctx)); n != newest {
		t.Errorf("version %d, want %d", n, newest)
	}
	if _, found, err := again.Setting(ctx, "a"); err != nil || found {
		t.Errorf("the old contents came back, %v", err)
	}
}

func TestExaminingADatabaseChangesNothingAndKnowsAForeignRing(t *testing.T) {
	t.Parallel()
	if server == nil {
		return // SQLite is a file: serve holds it, and opening it is looking at it
	}
	ctx := context.Background()
	empty, mine := got[string](t)(server.Database(ctx, "")), newRing(t)
	if found := got[string](t)(database.Examine(ctx, empty, mine)); !strings.Contains(found, "no tables yet") {
		t.Errorf("an empty one is %q", found)
	}
	if found := got[string](t)(database.Examine(ctx, empty, mine)); !strings.Contains(found, "no tables yet") {
		t.Errorf("looking made tables: %q", found)
	}
	must(t, openAt(t, empty, mine).CheckRing(ctx))
	if found := got[string](t)(database.Examine(ctx, empty, mine)); !strings.Contains(found, "tables in version ") {
		t.Errorf("a full one is %q", found)
	}
	if _, err := database.Examine(ctx, empty, newRing(t)); err == nil || !strings.Contains(err.Error(), "another key ring") {
		t.Errorf("another ring: %v", err)
	}
}

// Two processes on one database: neither may rely on a lock of its own.
func TestTwoProcessesShareOneDatabase(t *testing.T) {
	t.Parallel()
	one, where := open(t)
	two := one
	if server != nil {
		two = openAt(t, where, newRing(t))
	}
	ctx := context.Background()
	var all sync.WaitGroup
	var mu sync.Mutex
	incidents, fresh, claims := map[string]bool{}, 0, 0
	for i := range 60 {
		d := []*database.DB{one, two}[i%2]
		all.Go(func() {
			s, err := d.StoreAlert(ctx, incident.Finding{}, alert(fmt.Sprint(i)), byID("k"))
			if err != nil {
				t.Error(err)
			}
			_, mine, err := d.BeginCall(ctx, database.CallRow{ID: "c", Run: "r", Digest: "d", StartedAt: noon()})
			if err != nil {
				t.Error(err)
			}
			auto, err := d.ClaimAuto(ctx, fmt.Sprint("run-", i), noon(), 5, 1)
			if err != nil {
				t.Error(err)
			}
			if err := d.Append(ctx, "r", database.Entry{ID: fmt.Sprint(i), Kind: "k", At: noon()}); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			incidents[s.IncidentID] = true
			if mine {
				fresh++
			}
			if auto {
				claims++
			}
		})
	}
	all.Wait()
	must(t, two.CheckLedger(ctx, "r"))
	if h, err := one.LedgerHead(ctx, "r"); err != nil || h.Seq != 60 {
		t.Errorf("head %+v, %v", h, err)
	}
	if len(incidents) != 1 || fresh != 1 || claims != 5 {
		t.Errorf("%d incidents, %d fresh calls, %d claims", len(incidents), fresh, claims)
	}
}

func TestAnAddressThatDoesNotWorkIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	addresses := []string{"postgres://u:s3cr3t-value@127.0.0.1:1/db", "postgres://u:s3cr3t-value@127.0.0.1:bad/db", "postgres://u:s3cr3t-value@[::1/db"}
	if server != nil {
		u, err := url.Parse(server.URL("nowhere"))
		must(t, err)
		addresses = append(addresses, u.String())
		u.Path, u.User = "/postgres", url.UserPassword("test", "s3cr3t-value")
		addresses = append(addresses, u.String())
	}
	for _, a := range addresses {
		_, err := database.Open(context.Background(), a, newRing(t))
		if err == nil {
			t.Fatalf("%q was opened", a)
		}
		if strings.Contains(err.Error(), "s3cr3t") || server != nil && strings.Contains(err.Error(), server.Password()) {
			t.Errorf("the password is in %q", err)
		}
		if !strings.Contains(err.Error(), "database") {
			t.Errorf("%q does not say what it is about", err)
		}
	}
}
