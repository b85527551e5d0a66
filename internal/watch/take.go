package watch

import (
	"fmt"
	"time"
)

// Limits of what is believed.
const (
	maxHourUSD = 100_000         // no theft that became known came near this
	skew       = 2 * time.Minute // how far ahead of our clock a bucket may begin
)

// Row is one line of a provider's answer: what a key cost in one bucket, with whatever the provider tells besides. Rows of
// one bucket add up, unless they are the same in everything.
type Row struct {
	At                            time.Time // start of the bucket
	Micro                         int64     // millionths of a dollar
	Model, Region, Address, Agent string
}

// take adds an answer. Providers send buckets late, twice, rewritten and wrong: the newest value of a bucket holds, zero
// never replaces what was counted before, and what cannot be true is left out and said.
func (s *State) take(now time.Time, rows []Row) (oddities []string) {
	width := s.Width.Std()
	sums, seen := map[int64]int64{}, map[Row]bool{}
	for _, r := range rows {
		at := r.At.UTC().Truncate(width)
		r.At = at
		switch {
		case seen[r]: // a page that came twice
		case r.Micro < 0:
			oddities = append(oddities, fmt.Sprintf("the bucket of %s is negative", at.Format(time.RFC3339)))
		case float64(r.Micro) > maxHourUSD*1e6*max(width.Hours(), 1.0/60):
			oddities = append(oddities, fmt.Sprintf("the bucket of %s claims %d USD, which nobody can spend", at.Format(time.RFC3339), r.Micro/1_000_000))
		case at.After(now.Add(skew)):
			oddities = append(oddities, fmt.Sprintf("the bucket of %s lies in the future", at.Format(time.RFC3339)))
		case at.Before(now.Add(-keep)), at.Before(s.Learned):
			// Its hour has been learned; a correction that late changes nothing.
		default:
			seen[r] = true
			sums[at.Unix()] += r.Micro
		}
	}
	for at, micro := range sums {
		if micro == 0 && s.Recent[at] > 0 {
			oddities = append(oddities, fmt.Sprintf("the bucket of %s became zero", time.Unix(at, 0).UTC().Format(time.RFC3339)))
			continue
		}
		s.Recent[at] = micro
		if start := time.Unix(at, 0).UTC(); s.First.IsZero() || start.Before(s.First) {
			s.First = start
		}
	}
	return oddities
}

// forget drops buckets that no window needs any more.
func (s *State) forget(now time.Time) {
	oldest := now.Add(-keep).Unix()
	for at := range s.Recent {
		if at < oldest {
			delete(s.Recent, at)
		}
	}
}

// newest is the end of the newest bucket.
func (s *State) newest() (end time.Time, ok bool) {
	last := int64(0)
	for at := range s.Recent {
		last = max(last, at)
	}
	return time.Unix(last, 0).UTC().Add(s.Width.Std()), last > 0
}
