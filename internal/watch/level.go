package watch

import (
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// hourOfWeek numbers the hours from Sunday 00:00 UTC.
func hourOfWeek(at time.Time) int { return int(at.Weekday())*24 + at.Hour() }

// Usual is what the key usually spends in the hour of at, in millionths of a dollar; false while too little is known. The
// median of the same hour of earlier weeks counts; while there are few weeks, the same hour of other days and then its
// neighbours help; before that, all hours.
func (s *State) Usual(at time.Time) (micro float64, known bool) {
	slot := hourOfWeek(at.UTC())
	if m := s.memo[slot]; m.here {
		return m.micro, m.known
	}
	micro, known = s.usual(slot)
	s.memo[slot] = memo{micro, known, true}
	return micro, known
}

func (s *State) usual(slot int) (micro float64, known bool) {
	values := slices.Clone(s.Level[slot])
	for _, near := range [][]int{{-24, 24}, {-48, 48}, {-72, 72}, {-1, 1}} {
		if len(values) >= 4 {
			break
		}
		for _, d := range near {
			values = append(values, s.Level[(slot+d+hoursAWeek)%hoursAWeek]...)
		}
	}
	if len(values) < 3 {
		for _, hour := range s.Level {
			values = append(values, hour...)
		}
	}
	if len(values) < 3 {
		return 0, false
	}
	return median(values), true
}

func median(values []int64) float64 {
	sorted := make([]float64, len(values))
	for i, v := range values {
		sorted[i] = float64(v)
	}
	slices.Sort(sorted)
	return stat.Quantile(0.5, stat.LinInterp, sorted, nil)
}

// average is what the key spends in an hour, over all that was learned, in millionths of a dollar.
func (s *State) average() float64 {
	total, n := 0.0, 0
	for _, hour := range s.Level {
		for _, v := range hour {
			total += float64(v)
			n++
		}
	}
	return total / float64(max(n, 1))
}

// learn moves settled hours from the buckets into the level. Hours with gaps, hours set apart and unlikely silence are left
// out.
func (s *State) learn(now time.Time) {
	if s.First.IsZero() {
		return
	}
	if oldest := now.Add(-keep).Truncate(time.Hour); s.Learned.Before(oldest) {
		s.Learned = oldest
	}
	if first := s.First.Truncate(time.Hour); s.Learned.Before(first) {
		s.Learned = first
	}
	for ; !s.Learned.Add(time.Hour + settle).After(now); s.Learned = s.Learned.Add(time.Hour) {
		if sum, whole := s.hour(s.Learned); whole && !s.isApart(s.Learned) && !s.silent(s.Learned) {
			slot := hourOfWeek(s.Learned)
			s.Level[slot] = append(s.Level[slot], sum)
			s.Level[slot] = s.Level[slot][max(0, len(s.Level[slot])-weeks):]
			s.memo = [hoursAWeek]memo{}
		}
	}
}

// hour sums the buckets that begin in an hour; whole says that none is missing. Wider buckets count in parts.
func (s *State) hour(at time.Time) (micro int64, whole bool) {
	width := s.Width.Std()
	if width > time.Hour {
		v, ok := s.Recent[at.Truncate(width).Unix()]
		return v / int64(width/time.Hour), ok
	}
	for b := at; b.Before(at.Add(time.Hour)); b = b.Add(width) {
		v, ok := s.Recent[b.Unix()]
		if !ok {
			return 0, false
		}
		micro += v
	}
	return micro, true
}

// silent reports zeros for six hours in which the key is usually busy: a provider that answers zeros, more likely than a key
// that fell silent. Learning it would make the key's next honest day look like a theft.
func (s *State) silent(at time.Time) bool {
	usual := 0.0
	for h := -3; h <= 2; h++ {
		t := at.Add(time.Duration(h) * time.Hour)
		if sum, whole := s.hour(t); !whole || sum > 0 {
			return false
		}
		u, _ := s.Usual(t)
		usual += u
	}
	return usual > 0
}
