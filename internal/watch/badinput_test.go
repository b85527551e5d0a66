package watch_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

func TestWhatCannotBeTrueIsLeftOutAndSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, says string
		rows       func(at time.Time) []watch.Row
	}{
		{"a negative bucket", "negative", func(at time.Time) []watch.Row { return []watch.Row{row(at), {At: at, Micro: -900_000_000}} }},
		{"an absurd bucket", "nobody can spend", func(at time.Time) []watch.Row { return []watch.Row{row(at), {At: at, Micro: math.MaxInt64}} }},
		{"a bucket of tomorrow", "future", func(at time.Time) []watch.Row {
			return []watch.Row{row(at), {At: at.Add(24 * time.Hour), Micro: 142_000_000}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, at := lived(t)
			alarm, odd := s.Poll(at.Add(width), c.rows(at), watch.Limits{})
			if alarm != nil || len(odd) != 1 || !strings.Contains(odd[0], c.says) {
				t.Fatalf("alarm %+v, oddities %q", alarm, odd)
			}
		})
	}
}

func TestAnAbsurdNumberDoesNotHideATheftBesideIt(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	rows := []watch.Row{{At: at, Micro: -1}, {At: at, Micro: math.MaxInt64}, {At: at, Micro: 142_000_000}}
	if alarm, _ := s.Poll(at.Add(width), rows, watch.Limits{}); alarm == nil {
		t.Fatal("the theft was not found")
	}
}

func TestADuplicatedPageChangesNothing(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	for range 5 {
		if alarm, _ := s.Poll(at.Add(width), []watch.Row{row(at)}, watch.Limits{}); alarm != nil {
			t.Fatalf("the same page again alarmed: %+v", alarm)
		}
	}
}

func TestAPageThatComesTwiceInOneAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	b := watch.Row{At: at, Micro: 2_000_000, Model: "small"}
	once, twice := clone(t, s), clone(t, s)
	once.Poll(at.Add(width), []watch.Row{b}, watch.Limits{})
	twice.Poll(at.Add(width), []watch.Row{b, b, b}, watch.Limits{})
	if a, b := once.Recent[at.Unix()], twice.Recent[at.Unix()]; a != b {
		t.Fatalf("%d became %d", a, b)
	}
}

func TestGapsNeitherAlarmNorHide(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	at = at.Add(20 * time.Hour)
	if alarm, _ := s.Poll(at.Add(width), []watch.Row{row(at)}, watch.Limits{}); alarm != nil {
		t.Fatalf("a gap alarmed: %+v", alarm)
	}
	at = at.Add(width)
	if alarm, _ := s.Poll(at.Add(width), []watch.Row{{At: at, Micro: 142_000_000}}, watch.Limits{}); alarm == nil {
		t.Fatal("a theft after a gap was not found")
	}
}

func TestALateBucketIsFoundWhenItComes(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	for range 4 {
		at = at.Add(width)
		if alarm, _ := s.Poll(at.Add(width), []watch.Row{row(at)}, watch.Limits{}); alarm != nil {
			t.Fatal("alarmed before the bucket came")
		}
	}
	late := at.Add(-2 * width)
	alarm, _ := s.Poll(at.Add(width), []watch.Row{row(at), {At: late, Micro: 142_000_000}}, watch.Limits{})
	if alarm == nil {
		t.Fatal("a theft in a rewritten bucket was not found")
	}
}

func TestAProviderThatAnswersZerosIsNotLearnedAndCostsNoAlarmAfterwards(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	for range 10 * 12 * 24 {
		at = at.Add(width)
		if alarm, _ := s.Poll(at, []watch.Row{{At: at.Add(-width)}}, watch.Limits{}); alarm != nil {
			t.Fatalf("silence alarmed: %+v", alarm)
		}
	}
	for range 3 * 12 * 24 {
		at = at.Add(width)
		if alarm, _ := s.Poll(at, []watch.Row{row(at.Add(-width))}, watch.Limits{}); alarm != nil {
			t.Fatalf("the first honest days after it alarmed: %+v", alarm)
		}
	}
}

func TestZeroNeverReplacesWhatWasCounted(t *testing.T) {
	t.Parallel()
	s, at := lived(t)
	if _, odd := s.Poll(at.Add(width), []watch.Row{{At: at.Add(-width)}, row(at)}, watch.Limits{}); len(odd) != 1 || !strings.Contains(odd[0], "became zero") {
		t.Fatalf("oddities %q", odd)
	}
}

func TestNoAnswerOfAProviderBreaksTheWatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := watch.NewState(rapid.SampledFrom([]time.Duration{time.Minute, width, time.Hour, 24 * time.Hour}).Draw(t, "width"))
		now := monday
		for range rapid.IntRange(1, 30).Draw(t, "polls") {
			now = now.Add(time.Duration(rapid.Int64Range(-1e12, 1e15).Draw(t, "step")))
			var rows []watch.Row
			for range rapid.IntRange(0, 5).Draw(t, "rows") {
				rows = append(rows, watch.Row{
					At: now.Add(time.Duration(rapid.Int64Range(-1e15, 1e14).Draw(t, "at"))), Micro: rapid.Int64().Draw(t, "micro"),
					Model: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "model"),
				})
			}
			if alarm, _ := s.Poll(now, rows, watch.Limits{}); alarm != nil && (alarm.Why == "" || math.IsNaN(alarm.Times) || math.IsInf(alarm.Times, 0)) {
				t.Fatalf("an alarm without a reason: %+v", alarm)
			}
			if n := len(s.Recent); n > 76*60+4 {
				t.Fatalf("%d buckets are kept", n)
			}
		}
	})
}
