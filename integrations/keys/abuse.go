package keys

import (
	"slices"
	"time"
)

// FirstAbuse guesses from counts when the theft began: the first minute with at least ten requests and more than four
// times the median of the minutes before it. Zero when no minute stands out. Where the provider counts no requests, a
// thousand tokens stand for one.
func FirstAbuse(rows []UsageRow) time.Time {
	weight := func(r UsageRow) int64 { return r.Requests }
	if !slices.ContainsFunc(rows, func(r UsageRow) bool { return r.Requests > 0 }) {
		weight = func(r UsageRow) int64 { return r.Tokens / 1000 }
	}
	minutes := map[time.Time]int64{}
	var order []time.Time
	for _, row := range rows {
		at := row.At.Truncate(time.Minute)
		if _, seen := minutes[at]; !seen {
			order = append(order, at)
		}
		minutes[at] += weight(row)
	}
	slices.SortFunc(order, time.Time.Compare)
	var past []int64
	for _, at := range order {
		n, median := minutes[at], int64(0)
		if len(past) > 0 {
			sorted := slices.Sorted(slices.Values(past))
			median = sorted[len(sorted)/2]
		}
		if n >= 10 && n > 4*median {
			return at
		}
		past = append(past, n)
	}
	return time.Time{}
}

// Begin is when the theft began: the first call of a thief's routine or the first burst, whichever is earlier.
func Begin(rows []UsageRow) time.Time {
	first := FirstAbuse(rows)
	for _, r := range rows {
		if r.Probing && (first.IsZero() || r.At.Before(first)) {
			first = r.At
		}
	}
	return first
}
