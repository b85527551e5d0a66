package keys_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

func TestACurveLosesNothingAndStaysSmall(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		var rows []keys.UsageRow
		var calls, micros int64
		for range rapid.IntRange(1, 80).Draw(rt, "rows") {
			r := keys.UsageRow{At: start.Add(time.Duration(rapid.Int64Range(0, int64(1000*24*time.Hour)).Draw(rt, "after"))),
				Requests: rapid.Int64Range(0, 1e6).Draw(rt, "calls"), MicroUSD: rapid.Int64Range(0, 1e9).Draw(rt, "micros")}
			calls, micros, rows = calls+r.Requests, micros+r.MicroUSD, append(rows, r)
		}
		most := rapid.IntRange(6, 96).Draw(rt, "most")
		got := keys.Usage{Rows: rows}.Curve(most)
		if len(got) > most {
			rt.Fatalf("%d buckets, at most %d were asked for", len(got), most)
		}
		for i, b := range got {
			calls, micros = calls-b.Requests, micros-b.MicroUSD
			if i > 0 && b.At.Sub(got[i-1].At) < time.Minute {
				rt.Fatalf("bucket %d begins %s after the one before it", i, b.At.Sub(got[i-1].At))
			}
		}
		if calls != 0 || micros != 0 {
			rt.Fatalf("the curve lost %d calls and %d millionths", calls, micros)
		}
	})
}

func TestWhatCameBeforeTheAbuseIsNotCounted(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	rows := []keys.UsageRow{{At: at, Requests: 5, MicroUSD: 50}, {At: at.Add(time.Minute), Requests: 7, MicroUSD: 70}, {At: at.Add(2 * time.Minute), Requests: 1, MicroUSD: 1}}
	u := keys.Usage{Rows: rows, FirstAbuse: at.Add(time.Minute)}
	if got, known := u.SinceAbuse(); !known || got.Requests != 8 || got.MicroUSD != 71 {
		t.Errorf("since the abuse there are %+v", got)
	}
	if _, known := (keys.Usage{Rows: rows}).SinceAbuse(); known {
		t.Error("an abuse without a beginning was summed up")
	}
	if got := (keys.Usage{}).Curve(10); got != nil {
		t.Errorf("nothing has the curve %v", got)
	}
}

func TestOneSumIsSharedOutByUse(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	u := keys.Usage{Rows: []keys.UsageRow{{At: at, Tokens: 1}, {At: at.Add(time.Minute), Tokens: 3}}, MicroUSD: 400, CostKnown: true, FirstAbuse: at.Add(time.Minute)}
	if got, _ := u.SinceAbuse(); got.MicroUSD != 300 {
		t.Errorf("the theft cost %d, want 300", got.MicroUSD)
	}
	if got := u.Curve(10); len(got) != 2 || got[0].MicroUSD != 100 {
		t.Errorf("the curve is %+v", got)
	}
}
