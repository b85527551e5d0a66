package keys_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func rows(t *rapid.T) []keys.UsageRow {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) keys.UsageRow {
		return keys.UsageRow{
			At:       noon.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "minute")) * time.Minute),
			Requests: rapid.Int64Range(0, 1e6).Draw(t, "requests"), Tokens: rapid.Int64Range(0, 1e9).Draw(t, "tokens"), MicroUSD: rapid.Int64Range(0, 1e12).Draw(t, "micro"),
			Model: rapid.SampledFrom([]string{"", "large", "small"}).Draw(t, "model"), Address: rapid.SampledFrom([]string{"", "198.51.100.7"}).Draw(t, "address"),
			Probing: rapid.Bool().Draw(t, "probing"),
		}
	}), 0, 30).Draw(t, "rows")
}

func TestTotalsLoseNothingAndComeInOneOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rows(t)
		var want, got keys.Total
		for _, r := range list {
			want.Requests, want.Tokens, want.MicroUSD = want.Requests+r.Requests, want.Tokens+r.Tokens, want.MicroUSD+r.MicroUSD
		}
		totals := keys.Totals(list)
		for i, l := range totals {
			got.Requests, got.Tokens, got.MicroUSD = got.Requests+l.Requests, got.Tokens+l.Tokens, got.MicroUSD+l.MicroUSD
			if l.Last.Before(l.First) || i > 0 && l.MicroUSD > totals[i-1].MicroUSD {
				t.Fatalf("line %d: %+v", i, l)
			}
		}
		if got != want {
			t.Fatalf("the table holds %+v of %+v", got, want)
		}
		shuffled := rapid.Permutation(list).Draw(t, "shuffled")
		for i, l := range keys.Totals(shuffled) {
			if l != totals[i] {
				t.Fatalf("in another order line %d is %+v, not %+v", i, l, totals[i])
			}
		}
	})
}

func TestBurnIsTheMoneyOfTheTheftByItsTime(t *testing.T) {
	t.Parallel()
	at := func(minute int, seconds, micro, tokens int64) keys.UsageRow {
		return keys.UsageRow{At: noon.Add(time.Duration(minute) * time.Minute), Seconds: seconds, Requests: 1, MicroUSD: micro, Tokens: tokens}
	}
	for name, c := range map[string]struct {
		u     keys.Usage
		micro int64
		known bool
	}{
		"from the first abuse on":        {keys.Usage{CostKnown: true, MicroUSD: 31_000_000, FirstAbuse: noon, Rows: []keys.UsageRow{at(-60, 60, 1_000_000, 0), at(0, 60, 15_000_000, 0), at(1, 60, 15_000_000, 0)}}, 900_000_000, true},
		"from the first use without one": {keys.Usage{CostKnown: true, MicroUSD: 2_000_000, Rows: []keys.UsageRow{at(0, 60, 1_000_000, 0), at(59, 60, 1_000_000, 0)}}, 2_000_000, true},
		"a bill is shared out by tokens": {keys.Usage{CostKnown: true, MicroUSD: 10_000_000, FirstAbuse: noon, Rows: []keys.UsageRow{at(-60, 3600, 0, 10), at(0, 3600, 0, 90)}}, 9_000_000, true},
		"a bill is shared out by calls":  {keys.Usage{CostKnown: true, MicroUSD: 10_000_000, FirstAbuse: noon, Rows: []keys.UsageRow{at(-60, 3600, 0, 0), at(0, 3600, 0, 0)}}, 5_000_000, true},
		"a bucket that is not over":      {keys.Usage{CostKnown: true, MicroUSD: 1_000_000, FirstAbuse: noon.Add(90 * time.Minute), Rows: []keys.UsageRow{at(60, 3600, 1_000_000, 0)}}, 2_000_000, true},
		"less than a minute":             {keys.Usage{CostKnown: true, MicroUSD: 1_000_000, FirstAbuse: noon.Add(119*time.Minute + 58*time.Second), Rows: []keys.UsageRow{at(119, 60, 1_000_000, 0)}}, 60_000_000, true},
		"nobody knows the money":         {keys.Usage{Rows: []keys.UsageRow{at(0, 60, 0, 10)}}, 0, false},
		"nobody knows the time":          {keys.Usage{CostKnown: true, MicroUSD: 1, Rows: []keys.UsageRow{at(0, 60, 1, 0), at(0, 0, 1, 10)}}, 0, false},
		"no use at all":                  {keys.Usage{CostKnown: true, MicroUSD: 5}, 0, false},
		"abuse that rows do not show":    {keys.Usage{CostKnown: true, MicroUSD: 5, FirstAbuse: noon.Add(time.Hour), Rows: []keys.UsageRow{at(0, 60, 5, 0)}}, 0, true},
	} {
		if micro, known := c.u.BurnPerHour(noon.Add(2 * time.Hour)); micro != c.micro || known != c.known {
			t.Errorf("%s: %d %v, want %d %v", name, micro, known, c.micro, c.known)
		}
	}
}

func TestWindowsJoinWithoutGapOrOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		until := noon.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "s")) * time.Second)
		since := until.Add(-time.Duration(rapid.IntRange(0, 7*24*3600).Draw(t, "span")) * time.Second)
		list := keys.Windows(since, until)
		if !list[0].From.Equal(since) || !list[len(list)-1].To.Equal(until) || list[len(list)-1].Width != time.Minute {
			t.Fatalf("%v to %v is cut into %v", since, until, list)
		}
		for i, w := range list {
			if i > 0 && !w.From.Equal(list[i-1].To) || w.Width == time.Minute && w.To.Sub(w.From) > 25*time.Hour {
				t.Fatalf("%v to %v is cut into %v", since, until, list)
			}
		}
	})
}

func TestATheftBeginsWithTheFirstCallOfItsRoutine(t *testing.T) {
	t.Parallel()
	burst := keys.UsageRow{At: noon, Requests: 500}
	probe := keys.UsageRow{At: noon.Add(-9 * time.Minute), Requests: 1, Probing: true}
	if at := keys.Begin([]keys.UsageRow{burst}, noon.Add(-3*time.Hour)); !at.Equal(noon) {
		t.Errorf("a burst alone begins at %s", at)
	}
	if at := keys.Begin([]keys.UsageRow{probe, burst}, noon.Add(-3*time.Hour)); !at.Equal(probe.At) {
		t.Errorf("a probing call and a burst begin at %s", at)
	}
	if at := keys.Begin([]keys.UsageRow{{At: noon, Requests: 1}}, noon.Add(-3*time.Hour)); !at.IsZero() {
		t.Errorf("one honest call begins a theft at %s", at)
	}
}

func TestHonestUseIsNoTheft(t *testing.T) {
	t.Parallel()
	var honest []keys.UsageRow
	for h := range 48 {
		honest = append(honest, keys.UsageRow{At: noon.Add(time.Duration(h-48) * time.Hour), Seconds: 3600, Requests: 60 * 30})
	}
	for m := range 60 {
		honest = append(honest, keys.UsageRow{At: noon.Add(time.Duration(m) * time.Minute), Seconds: 60, Requests: 30 + int64(m%20)})
	}
	since := noon.Add(-48 * time.Hour)
	if at := keys.FirstAbuse(honest, since); !at.IsZero() {
		t.Errorf("30 calls a minute for two days are a theft from %s on", at)
	}
	theft := append(honest, keys.UsageRow{At: noon.Add(time.Hour), Seconds: 60, Requests: 600})
	if at := keys.FirstAbuse(theft, since); !at.Equal(noon.Add(time.Hour)) {
		t.Errorf("a burst above them begins at %s", at)
	}
	busy := []keys.UsageRow{{At: noon, Seconds: 60, Requests: 600}, {At: noon.Add(30 * time.Minute), Seconds: 60, Requests: 600}}
	if at := keys.FirstAbuse(busy, noon.Add(-2*time.Minute)); !at.IsZero() {
		t.Errorf("nobody knows what was before, and a theft is said to begin at %s", at)
	}
}
