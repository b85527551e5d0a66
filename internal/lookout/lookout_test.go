package lookout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// meter is a provider of which only the meter and the register are used.
type meter struct {
	keys.Provider
	spend func(minute time.Time) int64 // millionths of a dollar
	fails error
	asked int
}

func (*meter) Name() string { return "gemini" }

func (*meter) Identify(_ context.Context, c incident.Clue, _ []byte) ([]incident.Key, error) {
	return []incident.Key{{Provider: "gemini", Account: c.Account, ID: c.ID, UID: "uid-" + c.ID, Hint: "AIza…9xQ2"}}, nil
}

func (m *meter) Usage(_ context.Context, _ incident.Key, since, until time.Time) (keys.Usage, error) {
	m.asked++
	if m.fails != nil {
		return keys.Usage{}, m.fails
	}
	u := keys.Usage{CostKnown: true, CostBasis: "billed"}
	for at := since.Truncate(time.Minute); at.Before(until); at = at.Add(time.Minute) {
		if micro := m.spend(at); micro > 0 {
			u.Rows = append(u.Rows, keys.UsageRow{At: at, Requests: 1, MicroUSD: micro})
		}
	}
	return u, nil
}

// post is a lookout over one key, with a clock of its own.
type post struct {
	*lookout.Lookout
	db    *database.DB
	meter *meter
	now   time.Time
	woken int
}

func newPost(t *testing.T, spend func(time.Time) int64) *post {
	t.Helper()
	dir := t.TempDir()
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "ring"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), filepath.Join(dir, "db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	table, err := prices.New()
	if err != nil {
		t.Fatal(err)
	}
	p := &post{db: db, meter: &meter{spend: spend}, now: monday.AddDate(0, 0, 30)}
	p.Lookout = lookout.New(lookout.Options{
		Records: db, Accounts: []lookout.Account{{Name: "demo", Provider: p.meter}}, Known: []inventory.Entry{{Provider: "gemini", ID: "k1"}},
		Prices: table, Wake: func() { p.woken++ }, Blind: 30 * time.Minute, PerSec: 1000, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return p.now },
	})
	return p
}

// sweep lets time pass and looks.
func (p *post) sweep(t *testing.T, later time.Duration) {
	t.Helper()
	p.now = p.now.Add(later)
	if _, err := p.Sweep(t.Context(), "gemini", "demo", func() {}); err != nil {
		t.Fatal(err)
	}
}

func (p *post) alerts(t *testing.T) []database.Received {
	t.Helper()
	all, err := p.db.Alerts(t.Context(), 100, "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// office is an honest key: a dollar an hour by day.
func office(at time.Time) int64 {
	if at.Before(monday) || at.Hour() < 8 || at.Hour() > 18 {
		return 0
	}
	return 1_000_000 / 60
}

// stolenFrom adds 82,000 USD in 48 h from a moment on.
func stolenFrom(from time.Time) func(time.Time) int64 {
	return func(at time.Time) int64 {
		if at.Before(from) {
			return office(at)
		}
		return office(at) + 82_000_000_000/48/60
	}
}

func TestATheftBecomesOneAlertThatNamesTheKeyAndActs(t *testing.T) {
	t.Parallel()
	begin := monday.AddDate(0, 0, 30).Add(time.Hour)
	p := newPost(t, stolenFrom(begin))
	for range 24 { // two hours
		p.sweep(t, 5*time.Minute)
	}
	all := p.alerts(t)
	if len(all) == 0 {
		t.Fatal("no alert was raised")
	}
	first := all[len(all)-1].Alert
	if first.Kind != incident.KindUsageAnomaly || first.Trust != incident.TrustAct || first.Severity != "critical" || first.Key.ID != "k1" {
		t.Errorf("the first alert is %+v", first)
	}
	if late := first.ReceivedAt.Sub(begin); late > 10*time.Minute {
		t.Errorf("it took %s", late)
	}
	for _, a := range all {
		if a.Fate.Incident != all[0].Fate.Incident {
			t.Errorf("alert %s belongs to another incident", a.Alert.ID)
		}
	}
	if len(all) > 4 || p.woken != len(all) {
		t.Errorf("two hours gave %d alerts, the dispatcher was woken %d times", len(all), p.woken)
	}
	explained(t, p, first.ID)
}

func TestARunTellsWhatTheWatchSawBeforeIt(t *testing.T) {
	t.Parallel()
	p := newPost(t, stolenFrom(monday.AddDate(0, 0, 30)))
	p.sweep(t, 5*time.Minute)
	p.sweep(t, 30*time.Minute)
	all := p.alerts(t)
	if len(all) == 0 {
		t.Fatal("no alert was raised")
	}
	if err := p.db.PutRun(t.Context(), incident.Run{ID: "run-1", Incident: all[0].Fate.Incident, Number: 1}); err != nil {
		t.Fatal(err)
	}
	why, png, err := p.Alarm(t.Context(), "run-1")
	if err != nil || why != all[0].Alert.Title || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("%q, %d bytes, %v", why, len(png), err)
	}
	if err := p.db.PutRun(t.Context(), incident.Run{ID: "run-2", Incident: "inc-of-another-source", Number: 1}); err != nil {
		t.Fatal(err)
	}
	if why, png, err := p.Alarm(t.Context(), "run-2"); why != "" || png != nil || err != nil {
		t.Errorf("a run that the watch did not start has an alarm: %q, %v", why, err)
	}
	if _, _, err := p.Alarm(t.Context(), "run-unknown"); err == nil {
		t.Error("an unknown run has no error")
	}
}

func explained(t *testing.T, p *post, alert string) {
	t.Helper()
	f, err := p.db.Finding(t.Context(), alert)
	if err != nil {
		t.Fatal(err)
	}
	got, err := lookout.Explain(f)
	if err != nil || got.Alarm == nil || !strings.Contains(got.Alarm.Why, "USD") || len(got.Hours) < 72 || got.Basis != "billed" {
		t.Errorf("the finding says %+v, %v", got, err)
	}
}

func TestHonestUseRaisesNothingAndTheFirstLookLearnsTheWholePast(t *testing.T) {
	t.Parallel()
	p := newPost(t, office)
	for range 40 {
		p.sweep(t, 30*time.Minute)
	}
	if all := p.alerts(t); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
	got, err := p.Statuses(t.Context())
	if err != nil || len(got) != 1 || got[0].Usual == nil || got[0].Key != "gemini:demo:k1" || got[0].Age < "72" {
		t.Fatalf("the status is %+v, %v", got, err)
	}
}

func TestATheftThatIsGoingOnAtTheFirstLookIsFound(t *testing.T) {
	t.Parallel()
	p := newPost(t, stolenFrom(monday.AddDate(0, 0, 29)))
	p.sweep(t, 5*time.Minute)
	if all := p.alerts(t); len(all) != 1 {
		t.Fatalf("%d alerts", len(all))
	}
}

func TestBlindnessIsAnAlertOnceAndBacksOff(t *testing.T) {
	t.Parallel()
	p := newPost(t, office)
	p.sweep(t, 5*time.Minute)
	p.meter.fails = errors.New("429: come back later")
	before := p.meter.asked
	for range 72 { // six hours
		p.sweep(t, 5*time.Minute)
	}
	all := p.alerts(t)
	if len(all) != 1 || all[0].Alert.Kind != incident.KindWatchBlind || !strings.Contains(all[0].Alert.Title, "gemini:demo:k1") {
		t.Fatalf("%+v", all)
	}
	if asked := p.meter.asked - before; asked > 20 {
		t.Errorf("a provider that fails was asked %d times in six hours", asked)
	}
	got, err := p.Statuses(t.Context())
	if err != nil || got[0].Failures == 0 || got[0].BlindAlert == "" || !strings.Contains(got[0].Error, "429") {
		t.Errorf("the status hides it: %+v, %v", got[0], err)
	}
	h, found, err := lookout.ReadHealth(t.Context(), p.db, "gemini", "demo")
	if err != nil || !found || h.Blind != 1 || h.Seen != 0 || !strings.Contains(h.String(), "1 of 1 keys cannot be read") || !strings.Contains(h.String(), "429") {
		t.Errorf("doctor would be told %q, %v, %v", &h, found, err)
	}
	p.meter.fails = nil
	p.sweep(t, 2*time.Hour)
	if h, _, _ := lookout.ReadHealth(t.Context(), p.db, "gemini", "demo"); h.String() != "1 keys are read" {
		t.Errorf("it sees again, but doctor would be told %q", &h)
	}
	if got, _ := p.Statuses(t.Context()); got[0].Failures != 0 || got[0].BlindAlert != "" {
		t.Errorf("it sees again, but the status says %+v", got[0])
	}
}

func TestAFalseAlarmTeachesAndTheLessonCanBeRevoked(t *testing.T) {
	t.Parallel()
	launch := monday.AddDate(0, 0, 30).Add(9 * time.Hour)
	p := newPost(t, func(at time.Time) int64 {
		if at.Before(launch) {
			return office(at)
		}
		return 12 * office(at)
	})
	p.sweep(t, 9*time.Hour)
	for range 36 {
		p.sweep(t, 5*time.Minute)
	}
	all := p.alerts(t)
	if len(all) == 0 || all[0].Alert.Severity != "medium" {
		t.Fatalf("a launch is a question: %+v", all)
	}
	for i, a := range all {
		answered(t, p, a.Alert.ID, fmt.Sprintf("run-%d", i), incident.OutcomeFalseAlarm)
	}
	before := len(all)
	for range 24 {
		p.sweep(t, 5*time.Minute)
	}
	if all := p.alerts(t); len(all) != before {
		t.Errorf("what was called honest alarmed again: %s", all[0].Alert.Title)
	}
	got, err := p.Statuses(t.Context())
	if err != nil || len(got[0].Lessons) == 0 || !strings.HasPrefix(got[0].Lessons[0].By, "run-") {
		t.Fatalf("no lesson is shown: %+v, %v", got, err)
	}
	for _, l := range got[0].Lessons {
		if err := p.Forget(t.Context(), l.Alert, "ana"); err != nil {
			t.Fatal(err)
		}
	}
	p.sweep(t, 5*time.Minute)
	if all := p.alerts(t); len(all) == before {
		t.Error("a revoked lesson still holds")
	}
	if err := p.Forget(t.Context(), "al-unknown", "ana"); err == nil {
		t.Error("an unknown lesson was revoked")
	}
}

// answered is what the dispatcher and a run would have written down.
func answered(t *testing.T, p *post, alert, run, outcome string) {
	t.Helper()
	if err := p.db.SetFate(t.Context(), alert, incident.FateStarted, "", run); err != nil {
		t.Fatal(err)
	}
	if err := p.db.PutRun(t.Context(), incident.Run{ID: run, Incident: "inc-" + run, Number: 1, State: "done", Outcome: outcome}); err != nil {
		t.Fatal(err)
	}
}
