package keys_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// The first minute that stands out is the same whether the median is kept or sorted anew for each minute.
func TestTheFirstAbuseIsWhereSortingEachMinuteFindsIt(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 2, 11, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOf(rapid.Int64Range(0, 60)).Draw(t, "calls a minute")
		var rows []keys.UsageRow
		want := time.Time{}
		var past []int64
		for i, n := range counts {
			at := noon.Add(time.Duration(i) * time.Minute)
			rows = append(rows, keys.UsageRow{At: at, Requests: n})
			median := int64(0)
			if sorted := slices.Sorted(slices.Values(past)); len(sorted) > 0 {
				median = sorted[len(sorted)/2]
			}
			if want.IsZero() && n >= 10 && n > 4*median {
				want = at
			}
			past = append(past, n)
		}
		if !slices.ContainsFunc(counts, func(n int64) bool { return n > 0 }) {
			want = time.Time{}
		}
		if got := keys.FirstAbuse(rapid.Permutation(rows).Draw(t, "order"), noon.Add(-2*time.Hour)); !got.Equal(want) {
			t.Fatalf("%v, want %v, of %v", got, want, counts)
		}
	})
}
