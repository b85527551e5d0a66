package starter_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

func (r room) silence(t *testing.T, condition string) database.Silence {
	t.Helper()
	return got[database.Silence](t)(r.db.AddSilence(context.Background(), database.Silence{
		Owner: "ana", Reason: "load test", If: condition, From: noon.Add(-time.Hour), Until: noon.Add(time.Hour),
	}))
}

func TestASilencedAlertStartsNothingAndSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	s := r.silence(t, `alert.key.account == "main"`)
	fate, reason, run := r.start(t, r.store(t, leaked("1")))
	if fate != incident.FateSuppressed || run != "" || len(r.engine.starts) != 0 || !strings.Contains(reason, s.ID) || !strings.Contains(reason, "ana") {
		t.Errorf("%s (%s), run %q", fate, reason, run)
	}
	list := got[[]database.Silence](t)(r.db.Silences(context.Background(), 10))
	if len(list) != 1 || list[0].Hidden != 1 {
		t.Errorf("%+v", list)
	}
	must(t, r.db.ExpireSilence(context.Background(), s.ID, "bo", noon.Add(-time.Minute)))
	if fate, _, _ := r.start(t, r.store(t, leaked("2"))); fate != incident.FateStarted {
		t.Errorf("after its end: %s", fate)
	}
	must(t, r.db.ExpireSilence(context.Background(), s.ID, "lee", noon))
	if list := got[[]database.Silence](t)(r.db.Silences(context.Background(), 10)); list[0].ExpiredBy != "bo" || !list[0].Until.Equal(noon.Add(-time.Minute)) {
		t.Errorf("an ended silence was ended again: %+v", list[0])
	}
	if err := r.db.ExpireSilence(context.Background(), "si-x", "bo", noon); !database.IsNotFound(err) {
		t.Errorf("no such silence: %v", err)
	}
}

func TestASilenceNeverHidesWhatMayBeCriticalNorKeepsAnythingFromAnOpenRun(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	r.Critical = func(c incident.Clue) bool { return c.ID == "k1" }
	s := r.silence(t, `true`)
	fate, reason, run := r.start(t, r.store(t, leaked("1")))
	if fate != incident.FateStarted || !strings.Contains(reason, s.ID) || !strings.Contains(reason, "critical") {
		t.Fatalf("%s (%s)", fate, reason)
	}
	r.Critical = nil
	if fate, _, joined := r.start(t, r.store(t, leaked("2"))); fate != incident.FateJoined || joined != run {
		t.Errorf("a later alert of an open run: %s", fate)
	}
	other := leaked("3")
	other.Key.ID = "k3"
	if fate, _, _ := r.start(t, r.store(t, other)); fate != incident.FateSuppressed {
		t.Errorf("another key: %s", fate)
	}
	if _, err := r.StartByHand(context.Background(), starter.ByHand{Playbook: "leak", Key: "gemini:main:k9", Reason: "a customer called", Starter: "ann"}); err != nil {
		t.Errorf("a person was silenced: %v", err)
	}
}

func TestEveryAlertStandsOnTheTimelineOfItsRunOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	tell := leaked("1")
	tell.Trust = incident.TrustTell
	p := r.store(t, tell)
	_, _, run := r.start(t, p)
	_, _, _, err := r.Start(ctx, p) // a crash before the fate was noted starts it again
	must(t, err)
	over := leaked("2")
	over.Kind = incident.KindResolved
	r.start(t, r.store(t, over))
	if kept := got[incident.Run](t)(r.db.Run(ctx, run)); kept.Trust != incident.TrustTell {
		t.Error("the end of an alert raised the trust")
	}
	act := r.store(t, leaked("3"))
	r.start(t, act)
	if kept := got[incident.Run](t)(r.db.Run(ctx, run)); kept.Trust != incident.TrustAct {
		t.Error("a source that may act did not raise the trust of the run")
	}
	var kinds []string
	for _, row := range got[[]database.LedgerRow](t)(r.db.Ledger(ctx, run)) {
		kinds = append(kinds, row.Kind)
	}
	if strings.Join(kinds, " ") != "alert.started alert.joined alert.joined" {
		t.Errorf("the timeline holds %q", kinds)
	}
}
