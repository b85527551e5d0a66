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
	at := func(minute int, micro, tokens int64) keys.UsageRow {
		return keys.UsageRow{At: noon.Add(time.Duration(minute) * time.Minute), Requests: 1, MicroUSD: micro, Tokens: tokens}
	}
	for name, c := range map[string]struct {
		u     keys.Usage
		micro int64
		known bool
	}{
		"from the first abuse on":         {keys.Usage{CostKnown: true, Bucket: time.Minute, MicroUSD: 31_000_000, FirstAbuse: noon.Add(10 * time.Second), Rows: []keys.UsageRow{at(-60, 1_000_000, 0), at(0, 15_000_000, 0), at(1, 15_000_000, 0)}}, 900_000_000, true},
		"from the first use without one":  {keys.Usage{CostKnown: true, Bucket: time.Minute, MicroUSD: 2_000_000, Rows: []keys.UsageRow{at(0, 1_000_000, 0), at(59, 1_000_000, 0)}}, 2_000_000, true},
		"a bill is shared out by tokens":  {keys.Usage{CostKnown: true, Bucket: time.Hour, MicroUSD: 10_000_000, FirstAbuse: noon, Rows: []keys.UsageRow{at(-60, 0, 10), at(0, 0, 90)}}, 9_000_000, true},
		"a bill is shared out by calls":   {keys.Usage{CostKnown: true, Bucket: time.Hour, MicroUSD: 10_000_000, FirstAbuse: noon, Rows: []keys.UsageRow{at(-60, 0, 0), at(0, 0, 0)}}, 5_000_000, true},
		"nobody knows the money":          {keys.Usage{Bucket: time.Minute, Rows: []keys.UsageRow{at(0, 0, 10)}}, 0, false},
		"nobody knows the time":           {keys.Usage{CostKnown: true, MicroUSD: 1, Rows: []keys.UsageRow{at(0, 1, 10)}}, 0, false},
		"no use at all":                   {keys.Usage{CostKnown: true, Bucket: time.Minute, MicroUSD: 5}, 0, false},
		"abuse that the rows do not show": {keys.Usage{CostKnown: true, Bucket: time.Minute, MicroUSD: 5, FirstAbuse: noon.Add(time.Hour), Rows: []keys.UsageRow{at(0, 5, 0)}}, 0, true},
	} {
		if micro, known := c.u.BurnPerHour(); micro != c.micro || known != c.known {
			t.Errorf("%s: %d %v, want %d %v", name, micro, known, c.micro, c.known)
		}
	}
}

func TestATheftBeginsWithTheFirstCallOfItsRoutine(t *testing.T) {
	t.Parallel()
	burst := keys.UsageRow{At: noon, Requests: 500}
	probe := keys.UsageRow{At: noon.Add(-9 * time.Minute), Requests: 1, Probing: true}
	if at := keys.Begin([]keys.UsageRow{burst}); !at.Equal(noon) {
		t.Errorf("a burst alone begins at %s", at)
	}
	if at := keys.Begin([]keys.UsageRow{probe, burst}); !at.Equal(probe.At) {
		t.Errorf("a probing call and a burst begin at %s", at)
	}
	if at := keys.Begin([]keys.UsageRow{{At: noon, Requests: 1}}); !at.IsZero() {
		t.Errorf("one honest call begins a theft at %s", at)
	}
}
