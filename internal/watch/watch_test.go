package watch_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

const width = 5 * time.Minute

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// usualMicro is an office key: a dollar an hour by day, next to nothing by night.
func usualMicro(at time.Time) int64 {
	if h := at.Hour(); h >= 8 && h < 18 {
		return 1_000_000 / 12
	}
	return 50_000 / 12
}

func row(at time.Time) watch.Row { return watch.Row{At: at, Micro: usualMicro(at)} }

// live is an honest key's life of thirty days; it takes most of a second, so it is lived once.
var live = sync.OnceValues(func() ([]byte, error) {
	s := watch.NewState(width)
	for at := monday; at.Before(monday.AddDate(0, 0, 30)); at = at.Add(width) {
		if alarm, odd := s.Poll(at.Add(width), []watch.Row{row(at)}, watch.Limits{}); alarm != nil || len(odd) > 0 {
			return nil, fmt.Errorf("an honest day alarmed at %s: %+v %v", at, alarm, odd)
		}
	}
	return json.Marshal(s)
})

// lived is a key that was honest for thirty days, and the start of its next bucket.
func lived(t *testing.T) (*watch.State, time.Time) {
	t.Helper()
	raw, err := live()
	if err != nil {
		t.Fatal(err)
	}
	var s watch.State
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return &s, monday.AddDate(0, 0, 30)
}

func TestATheftIsFoundAtTheFirstReadingAndIsSure(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	stolen := row(at)
	stolen.Micro += 142_000_000 // 82,000 USD in 48 h
	alarm, _ := s.Poll(at.Add(width), []watch.Row{stolen}, watch.Limits{})
	if alarm == nil || alarm.Reason != "surge" || !alarm.Sure || !strings.Contains(alarm.Why, "142.01 USD") {
		t.Fatalf("got %+v", alarm)
	}
}

func TestAnHonestTenfoldDayIsAQuestionAndNotSure(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	for range 12 * 24 {
		b := row(at)
		b.Micro *= 10
		at = at.Add(width)
		if alarm, _ := s.Poll(at, []watch.Row{b}, watch.Limits{}); alarm != nil {
			if alarm.Sure {
				t.Fatalf("a launch is no theft: %+v", alarm)
			}
			return
		}
	}
	t.Fatal("ten times the usual all day was not noticed")
}

func TestATheftUnderTwiceTheNormalLevelIsFoundWithinThreeDays(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	for range 3 * 12 * 24 {
		b := row(at)
		b.Micro += 300_000 / 12 // 0.30 USD an hour beside 0.45 on average
		at = at.Add(width)
		if alarm, _ := s.Poll(at, []watch.Row{b}, watch.Limits{}); alarm != nil {
			return
		}
	}
	t.Fatal("a slow theft was not noticed")
}

func TestAYoungKeyIsHeldAgainstARate(t *testing.T) {
	t.Parallel()
	s := watch.NewState(width)
	if alarm, _ := s.Poll(monday.Add(width), []watch.Row{{At: monday, Micro: 1_000_000}}, watch.Limits{}); alarm != nil {
		t.Fatalf("twelve dollars an hour alarmed: %+v", alarm)
	}
	at := monday.Add(width)
	alarm, _ := s.Poll(at.Add(width), []watch.Row{{At: at, Micro: 142_000_000}}, watch.Limits{})
	if alarm == nil || !alarm.Sure || !strings.Contains(alarm.Why, "new here") {
		t.Fatalf("got %+v", alarm)
	}
}

func TestOpenAlarmsAreNotLearnedAndLessonsAre(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	before, _ := s.Usual(at.Add(30 * time.Minute))
	abuse, taught := clone(t, s), clone(t, s)
	abuse.SetApart("al-1", at)
	taught.SetApart("al-1", at)
	for i := range 12 * 24 * 2 {
		when := at.Add(time.Duration(i) * width)
		b := row(when)
		b.Micro *= 8
		abuse.Poll(when.Add(width), []watch.Row{b}, watch.Limits{})
		taught.Poll(when.Add(width), []watch.Row{b}, watch.Limits{})
	}
	if now, _ := abuse.Usual(at.Add(30 * time.Minute)); now != before {
		t.Errorf("what was called abuse was learned: %v became %v", before, now)
	}
	end := at.Add(48 * time.Hour)
	taught.Teach("al-1", "run-1", end)
	b := row(end)
	b.Micro *= 8
	if alarm, _ := taught.Poll(end.Add(width), []watch.Row{b}, watch.Limits{}); alarm != nil {
		t.Errorf("what was called honest still alarms: %+v", alarm)
	}
	if !taught.Revoke("al-1") || taught.Revoke("al-1") {
		t.Error("a lesson is revoked once")
	}
	if alarm, _ := taught.Poll(end.Add(2*width), []watch.Row{{At: end.Add(width), Micro: b.Micro}}, watch.Limits{}); alarm == nil {
		t.Error("a revoked lesson still holds")
	}
}

func TestLimitsOfTheOperatorAlarm(t *testing.T) {
	t.Parallel()
	for reason, limits := range map[string]watch.Limits{
		"limit": {PerHour: 0.01}, "idle": {Idle: true}, "revoked": {RevokedAt: monday.AddDate(0, 0, 29)},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			s, at := lived(t)
			alarm, _ := s.Poll(at.Add(width), []watch.Row{row(at)}, limits)
			if alarm == nil || alarm.Reason != reason {
				t.Fatalf("got %+v", alarm)
			}
		})
	}
}

func TestANewModelOfASteadyKeyAlarmsOnceAndOnlyWhenItCosts(t *testing.T) {
	t.Parallel()
	s := watch.NewState(width)
	at := monday
	old := watch.Row{At: at}
	poll := func(model string, micro int64) *watch.Alarm {
		row := watch.Row{At: at, Micro: micro, Model: model}
		alarm, _ := s.Poll(at.Add(width), []watch.Row{old, row}, watch.Limits{}) // providers repeat the last buckets
		old, at = row, at.Add(width)
		return alarm
	}
	for at.Before(monday.AddDate(0, 0, 20)) {
		if alarm := poll("small", usualMicro(at)); alarm != nil {
			t.Fatalf("%+v", alarm)
		}
	}
	poll("large", 900_000)
	if alarm := poll("large", 200_000); alarm != nil {
		t.Fatalf("less than a dollar alarmed: %+v", alarm)
	}
	if alarm := poll("large", 200_000); alarm == nil || alarm.Reason != "new_model" || !strings.Contains(alarm.Why, `"large"`) {
		t.Fatalf("got %+v", alarm)
	}
	if alarm := poll("large", 200_000); alarm != nil {
		t.Fatalf("told twice: %+v", alarm)
	}
}

func TestTheStateSurvivesJSON(t *testing.T) {
	t.Parallel()
	s, _ := lived(t)
	if again := clone(t, s); !reflect.DeepEqual(again, s) {
		t.Fatal("the state changed on its way through JSON")
	}
}

func BenchmarkPoll(b *testing.B) {
	s := watch.NewState(width)
	at := monday
	for ; at.Before(monday.AddDate(0, 0, 40)); at = at.Add(width) {
		s.Poll(at.Add(width), []watch.Row{row(at)}, watch.Limits{})
	}
	for b.Loop() {
		at = at.Add(width)
		s.Poll(at, []watch.Row{row(at.Add(-width))}, watch.Limits{})
	}
}

func clone(t *testing.T, s *watch.State) *watch.State {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again watch.State
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	return &again
}
