package database_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

func session(hash, person string, after time.Duration) database.Session {
	return database.Session{Hash: hash, Person: person, At: noon().Add(after), Until: noon().Add(after + time.Hour)}
}

func TestASessionIsFoundUntilItEnds(t *testing.T) {
	t.Parallel()
	d, where := open(t)
	ctx := context.Background()
	mine := session("a", "ana", 0)
	mine.Token, mine.Said = "tk-0123456789ab", database.Said{Subject: "00u", Name: "Ana\x00", Roles: []string{"viewer"}}
	must(t, d.OpenSession(ctx, mine))
	there := openAt(t, where, newRing(t)) // another process
	for after, want := range map[time.Duration]bool{0: true, time.Hour - time.Microsecond: true, time.Hour: false} {
		s, found, err := there.SessionByHash(ctx, "a", noon().Add(after))
		if err != nil || found != want || found && (s.Person != "ana" || s.Token != mine.Token || s.Said.Subject != "00u" || len(s.Said.Roles) != 1 || !s.Until.Equal(mine.Until)) {
			t.Errorf("after %s: %+v, %v, %v", after, s, found, err)
		}
	}
	must(t, there.CloseSession(ctx, "a"))
	if _, found, err := d.SessionByHash(ctx, "a", noon()); err != nil || found {
		t.Errorf("a session that another process ended is found: %v", err)
	}
	if err := d.OpenSession(ctx, database.Session{Hash: "b", At: noon(), Until: noon()}); err == nil {
		t.Error("a session without an end was taken")
	}
}

func TestNobodyFillsTheRecordsWithSessions(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	must(t, d.OpenSession(ctx, session("of bo", "bo", 0)))
	for i := range 25 {
		must(t, d.OpenSession(ctx, session(fmt.Sprint("of ana ", i), "ana", time.Duration(i)*time.Second)))
	}
	kept := 0
	for i := range 25 {
		if _, found, err := d.SessionByHash(ctx, fmt.Sprint("of ana ", i), noon()); err == nil && found {
			kept++
		} else if i > 4 {
			t.Errorf("session %d of 25 is not among the newest: %v", i, err)
		}
	}
	if _, found, _ := d.SessionByHash(ctx, "of bo", noon()); kept != 20 || !found {
		t.Errorf("%d sessions of ana are kept, want 20; bo's: %v", kept, found)
	}
}

func TestEndingSomebodysSessionsLeavesOthersAndStandsInTheLedger(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	guest := session("guest", "", 0)
	guest.Said.Subject = "00u-guest"
	for _, s := range []database.Session{session("a", "ana", 0), session("b", "ana", 0), session("c", "bo", 0), guest} {
		must(t, d.OpenSession(ctx, s))
	}
	for person, want := range map[string]int64{"ana": 2, "00u-guest": 1, "nobody": 0} {
		if n, err := d.CloseSessionsOf(ctx, person, "lee", "left"); err != nil || n != want {
			t.Errorf("%d sessions of %s ended, want %d: %v", n, person, want, err)
		}
	}
	if _, found, err := d.SessionByHash(ctx, "c", noon()); err != nil || !found {
		t.Errorf("bo was signed out, too: %v", err)
	}
	rows, err := d.Ledger(ctx, database.HouseLedger)
	must(t, err)
	if len(rows) != 3 || rows[0].Kind != "sessions.ended" || rows[0].Actor != "lee" {
		t.Errorf("the ledger of the house holds %+v", rows)
	}
}
