package keys

import (
	"maps"
	"slices"
	"time"
)

// fewestCalls is what a bucket must hold to be a burst.
const fewestCalls = 10

// FirstAbuse guesses from counts when the theft began: the first bucket with at least ten requests and more than four
// times the median rate of the buckets before it. Use in the first tenth (an hour at most) of the time that was looked at
// is what later use is compared with, and never a burst itself: nobody knows what was before. Zero when no bucket stands out. Where the
// provider counts no requests, a thousand tokens stand for one.
func FirstAbuse(rows []UsageRow, since time.Time) time.Time {
	weight := func(r UsageRow) int64 { return r.Requests }
	if !slices.ContainsFunc(rows, func(r UsageRow) bool { return r.Requests > 0 }) {
		weight = func(r UsageRow) int64 { return r.Tokens / 1000 }
	}
	type bucket struct {
		n       int64
		minutes float64
	}
	buckets := map[time.Time]bucket{}
	for _, row := range rows {
		at := row.At.Truncate(time.Minute)
		b := buckets[at]
		b.n, b.minutes = b.n+weight(row), max(b.minutes, float64(row.Seconds)/60, 1)
		buckets[at] = b
	}
	var past []float64
	order := slices.SortedFunc(maps.Keys(buckets), time.Time.Compare)
	for _, at := range order {
		b, median := buckets[at], 0.0
		rate := float64(b.n) / b.minutes
		if len(past) > 0 {
			sorted := slices.Sorted(slices.Values(past))
			median = sorted[len(sorted)/2]
		}
		unknown := len(past) == 0 && at.Before(since.Add(min(order[len(order)-1].Sub(since)/10, time.Hour)))
		if b.n >= fewestCalls && rate > 4*median && !unknown {
			return at
		}
		past = append(past, rate)
	}
	return time.Time{}
}

// Begin is when the theft began: the first call of a thief's routine or the first burst, whichever is earlier.
func Begin(rows []UsageRow, since time.Time) time.Time {
	first := FirstAbuse(rows, since)
	for _, r := range rows {
		if r.Probing && (first.IsZero() || r.At.Before(first)) {
			first = r.At
		}
	}
	return first
}
