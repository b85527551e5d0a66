package keys

import (
	"container/heap"
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
	var past middle
	order := slices.SortedFunc(maps.Keys(buckets), time.Time.Compare)
	for _, at := range order {
		b := buckets[at]
		rate := float64(b.n) / b.minutes
		unknown := len(past.high) == 0 && at.Before(since.Add(min(order[len(order)-1].Sub(since)/10, time.Hour)))
		if b.n >= fewestCalls && rate > 4*past.median() && !unknown {
			return at
		}
		past.add(rate)
	}
	return time.Time{}
}

// middle keeps numbers so that their median is known at once: six weeks of minutes are too many to sort at each.
type middle struct{ low, high smallest } // low holds its numbers negated; high has as many as low, or one more

// median is the upper one of an even number, and 0 of none.
func (m *middle) median() float64 {
	if len(m.high) == 0 {
		return 0
	}
	return m.high[0]
}

func (m *middle) add(n float64) {
	heap.Push(&m.high, n)
	heap.Push(&m.low, -heap.Pop(&m.high).(float64))
	if len(m.low) > len(m.high) {
		heap.Push(&m.high, -heap.Pop(&m.low).(float64))
	}
}

// smallest is a heap with the smallest number on top.
type smallest []float64

func (s smallest) Len() int           { return len(s) }
func (s smallest) Less(i, j int) bool { return s[i] < s[j] }
func (s smallest) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *smallest) Push(x any)        { *s = append(*s, x.(float64)) }
func (s *smallest) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
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
