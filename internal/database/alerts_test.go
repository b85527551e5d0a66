package database_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func alert(fingerprint string) incident.Alert {
	return incident.Alert{Source: "github", Kind: incident.KindKeyLeaked, Title: "a key", Fingerprint: fingerprint, ReceivedAt: noon()}
}

func byID(v string) []database.Alias {
	return []database.Alias{{Provider: "gemini", Kind: database.AliasID, Value: v}}
}

func TestFiftyDeliveriesOfOneAlertMakeOneIncident(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	out := make([]database.Stored, 50)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			s, err := d.StoreAlert(ctx, incident.Finding{Body: []byte("x")}, alert("same"), byID("k1"))
			if err != nil {
				t.Error(err)
			}
			out[i] = s
		})
	}
	wg.Wait()
	fresh := 0
	for _, s := range out {
		if !s.Duplicate {
			fresh++
		}
		if s.AlertID != out[0].AlertID || s.IncidentID != out[0].IncidentID || s.Duplicate == s.NewIncident {
			t.Errorf("one delivery differs: %+v", s)
		}
	}
	if p := got[[]database.Pending](t)(d.Undispatched(ctx, 0)); fresh != 1 || len(p) != 1 || !p[0].NewIncident {
		t.Errorf("%d deliveries were new and %d alerts wait, want one each", fresh, len(p))
	}
}

func TestFiftyDifferentAlertsAboutOneKeyMakeOneIncident(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if _, err := d.StoreAlert(ctx, incident.Finding{}, alert(fmt.Sprint(i)), byID("k1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p := got[[]database.Pending](t)(d.Undispatched(ctx, 0))
	opened, incidents := 0, map[string]bool{}
	for _, a := range p {
		incidents[a.Incident] = true
		if a.NewIncident {
			opened++
		}
	}
	if len(p) != 50 || len(incidents) != 1 || opened != 1 {
		t.Errorf("%d alerts, %d incidents, %d openings", len(p), len(incidents), opened)
	}
}

func TestAlertsWithoutFingerprintAreNeverDuplicates(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	one := got[database.Stored](t)(d.StoreAlert(context.Background(), incident.Finding{}, alert(""), nil))
	two := got[database.Stored](t)(d.StoreAlert(context.Background(), incident.Finding{}, alert(""), nil))
	if two.Duplicate || one.AlertID == two.AlertID || one.IncidentID == two.IncidentID {
		t.Errorf("%+v and %+v", one, two)
	}
}

func TestAHintIsNoAlias(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	_, err := d.StoreAlert(context.Background(), incident.Finding{}, alert("1"),
		[]database.Alias{{Provider: "gemini", Kind: "hint", Value: "AIza…9xQ2"}})
	if err == nil {
		t.Fatal("a hint merged alerts")
	}
	if p := got[[]database.Pending](t)(d.Undispatched(context.Background(), 0)); len(p) != 0 {
		t.Error("a refused alert was kept")
	}
}

func TestAnIncidentClosesOnlyWhenEverythingWasReadAndThenFreesItsKey(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{Body: []byte("f")}, alert("1"), byID("k1")))
	if closed := got[bool](t)(d.CloseIncident(ctx, s.IncidentID, "contained")); closed {
		t.Fatal("closed with an alert that nobody dispatched")
	}
	must(t, d.SetFate(ctx, s.AlertID, incident.FateStarted, "matched", "run-1"))
	if closed, err := d.CloseIncident(ctx, s.IncidentID, "contained"); err != nil || closed {
		t.Fatalf("closed with an unread alert: %v", err)
	}
	read, err := d.MarkAlertsRead(ctx, s.IncidentID)
	if err != nil || len(read) != 1 || read[0].ID != s.AlertID {
		t.Fatalf("read %v, %v", read, err)
	}
	if n := got[int](t)(d.UnreadAlerts(ctx, s.IncidentID)); n != 0 {
		t.Fatalf("%d unread", n)
	}
	for range 2 {
		if closed, err := d.CloseIncident(ctx, s.IncidentID, "contained"); err != nil || !closed {
			t.Fatalf("not closed: %v", err)
		}
	}
	again := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("2"), byID("k1")))
	if !again.NewIncident || again.IncidentID == s.IncidentID {
		t.Errorf("the closed incident kept the key: %+v", again)
	}
	f, err := d.AlertFate(ctx, s.AlertID)
	if err != nil || f != (database.Fate{Fate: "started", Reason: "matched", Incident: s.IncidentID, Run: "run-1"}) {
		t.Errorf("fate %+v, %v", f, err)
	}
	if f := got[incident.Finding](t)(d.Finding(ctx, s.AlertID)); string(f.Body) != "f" {
		t.Errorf("finding %q", f.Body)
	}
}

func TestTwoOpenIncidentsAboutOneKeyBecomeTheOneThatIsAnswered(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]bool{"a run answers for the other": true, "nobody answers for the other": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := open(t)
			ctx := context.Background()
			one := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("1"), byID("k1")))
			two := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("2"), byID("k2")))
			if answered {
				must(t, d.PutRun(ctx, incident.Run{ID: "run-1", Incident: one.IncidentID, Number: 1, State: "running"}))
			}
			must(t, d.PutRun(ctx, incident.Run{ID: "run-2", Incident: two.IncidentID, Number: 1, State: "running"}))
			for _, s := range []database.Stored{one, two} {
				must(t, d.SetFate(ctx, s.AlertID, incident.FateRecorded, "x", ""))
			}
			stays, ends, want := two, one, ""
			if answered {
				stays, ends, want = one, two, one.IncidentID
			}
			for range 2 { // the action may be repeated after a crash
				if other, err := d.JoinIncidents(ctx, two.IncidentID, append(byID("k1"), byID("k3")...)); err != nil || other != want {
					t.Fatalf("other %q, %v, want %q", other, err, want)
				}
			}
			// The one who handed it over comes with the fate only now; it must not hide the move.
			must(t, d.SettleAlerts(ctx, []database.Pending{{Alert: incident.Alert{ID: ends.AlertID}, Incident: ends.IncidentID}}, incident.FateStarted, "late", "run-x"))
			moved := got[[]database.Pending](t)(d.Undispatched(ctx, 0))
			if len(moved) != 1 || moved[0].Alert.ID != ends.AlertID || moved[0].Incident != stays.IncidentID {
				t.Errorf("to be told again: %+v", moved)
			}
			for i, key := range []string{"k1", "k2", "k3"} {
				if s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("later "+key), byID(key))); s.IncidentID != stays.IncidentID || s.NewIncident {
					t.Errorf("alert %d about %s came to %+v", i, key, s)
				}
			}
			if closed := got[bool](t)(d.CloseIncident(ctx, ends.IncidentID, "joined")); !closed {
				t.Error("the joined incident is still open")
			}
			// Whoever was about to start a run for the incident that ended comes too late; the alert is told where it moved to.
			if err := d.PutRun(ctx, incident.Run{ID: "run-late", Incident: ends.IncidentID, Number: 2, State: "running"}); err == nil {
				t.Error("a run was written down for an incident that has ended")
			}
			if _, err := d.Run(ctx, "run-late"); !database.IsNotFound(err) {
				t.Errorf("and it is there: %v", err)
			}
			must(t, d.PutRun(ctx, incident.Run{ID: "run-2", Incident: two.IncidentID, Number: 1, State: "running"})) // a repeat changes nothing
			page := got[[]database.Received](t)(d.Alerts(ctx, 2, ""))
			rest := got[[]database.Received](t)(d.Alerts(ctx, 2, page[1].Alert.ID))
			if len(page) != 2 || len(rest) != 2 || rest[1].Alert.ID != "" && rest[0].Alert.ReceivedAt.Before(rest[1].Alert.ReceivedAt) {
				t.Errorf("pages %v and %v", page, rest)
			}
		})
	}
}

func TestTheFileIsPrivateAndTheSecondOpenFindsEverything(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/x?y#z.db"
	files := []string{path, path + "-wal", path + "-shm"}
	if server != nil {
		path, files = got[string](t)(server.Database(context.Background(), "")), nil
	}
	box := newRing(t)
	ctx := context.Background()
	d, err := database.Open(ctx, path, box)
	must(t, err)
	id := got[string](t)(d.Installation(ctx))
	must(t, d.CheckRing(ctx))
	must(t, d.SetHold(ctx, true, "ada", "flood"))
	for _, p := range files {
		st, err := os.Stat(p)
		must(t, err)
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%q has mode %v", p, st.Mode().Perm())
		}
	}
	must(t, d.Close())
	d = openAt(t, path, box)
	must(t, d.CheckRing(ctx))
	again, err := d.Installation(ctx)
	if err != nil || again != id || id == "" {
		t.Errorf("installation %q then %q, %v", id, again, err)
	}
	if on, who, why, err := d.Hold(ctx); err != nil || !on || who != "ada" || why != "flood" {
		t.Errorf("hold %v %q %q %v", on, who, why, err)
	}
	if err := openAt(t, path, newRing(t)).CheckRing(ctx); err == nil {
		t.Error("another key ring was accepted")
	}
}
