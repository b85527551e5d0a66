package watch

import (
	"fmt"
	"slices"
	"time"
)

// Habit is a model, region, address or agent that a key uses.
type Habit struct {
	First time.Time `json:"first"`
	Micro int64     `json:"micro"` // millionths of a dollar that it cost so far
	Told  bool      `json:"told,omitempty"`
}

// A new value says something where a key has kept to its values for a week, and where it costs a dollar.
const (
	steady   = 7 * day
	habitUSD = 1_000_000
)

// habits keeps which values the rows carry. A bucket counts once, when it is two buckets old and mostly complete.
func (s *State) habits(now time.Time, rows []Row) {
	width := s.Width.Std()
	until := now.UTC().Truncate(width).Add(-width)
	for _, r := range rows {
		at := r.At.UTC().Truncate(width)
		if !at.Before(until) || at.Before(s.Counted) || r.Micro < 0 {
			continue
		}
		for kind, value := range map[string]string{"model": r.Model, "region": r.Region, "address": r.Address, "agent": r.Agent} {
			if value != "" {
				s.habit(kind, value, at, r.Micro)
			}
		}
	}
	if until.After(s.Counted) {
		s.Counted = until
	}
}

func (s *State) habit(kind, value string, at time.Time, micro int64) {
	if s.Habits[kind] == nil {
		s.Habits[kind] = map[string]Habit{}
	}
	h, known := s.Habits[kind][value]
	if !known && len(s.Habits[kind]) >= maxHabits {
		return
	}
	if !known {
		h.First = at
	}
	h.Micro += micro
	s.Habits[kind][value] = h
}

// newHabit looks for a value that a steady key never had.
func newHabit(l look) *Alarm {
	s := l.state
	for _, kind := range []string{"model", "region", "address", "agent"} {
		values := s.Habits[kind]
		if len(values) >= maxHabits || l.end.Sub(s.First) < 2*steady {
			continue
		}
		for _, value := range sortedKeys(values) {
			h := values[value]
			if h.Told || h.Micro < habitUSD || l.end.Sub(h.First) > steady || !steadyBefore(values, h.First, s.First) {
				continue
			}
			h.Told = true
			values[value] = h
			return &Alarm{Reason: "new_" + kind, At: l.end, From: h.First, USD: float64(h.Micro) / 1e6,
				Why: fmt.Sprintf("The %s %q is new for this key and has cost %.2f USD since %s; the key kept to its own for at least a week.", kind, value, float64(h.Micro)/1e6, h.First.Format(time.RFC3339))}
		}
	}
	return nil
}

// steadyBefore reports that no value of the kind appeared in the week before at, the first days of the watch aside.
func steadyBefore(values map[string]Habit, at, first time.Time) bool {
	for _, h := range values {
		if h.First.Before(at) && h.First.After(at.Add(-steady)) && h.First.Sub(first) > steady {
			return false
		}
	}
	return len(values) > 1
}

func sortedKeys(m map[string]Habit) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
