package watch

import "time"

// SetApart keeps what the key spends from a time on out of the baseline, because an alert about it is open. A repeat
// changes nothing.
func (s *State) SetApart(alert string, from time.Time) {
	for _, a := range s.Apart {
		if a.Alert == alert {
			return
		}
	}
	s.Apart = append(s.Apart, Span{Alert: alert, From: from})
}

// Close ends the time that was set apart. What lies in it stays out of the baseline: it was abuse.
func (s *State) Close(alert string, at time.Time) {
	for i := range s.Apart {
		if a := &s.Apart[i]; a.Alert == alert && a.To.IsZero() {
			a.To = at
		}
	}
}

// Teach takes an alarm back: its time is learned after all, and the quotients that are reached now are honest from here on. By
// names the run or person that said so.
func (s *State) Teach(alert, by string, at time.Time) {
	for i := len(s.Apart) - 1; i >= 0; i-- {
		if s.Apart[i].Alert == alert {
			s.Learned = minTime(s.Learned, s.Apart[i].From.Truncate(time.Hour))
			s.Apart = append(s.Apart[:i], s.Apart[i+1:]...)
		}
	}
	l := Lesson{Alert: alert, By: by, At: at}
	if end, ok := s.newest(); ok {
		for w, r := range s.read(end) {
			l.Peaks[w], l.Burst = r.quotient, max(l.Burst, r.quotient)
		}
	}
	s.Lessons = append(s.Lessons, l)
}

// Revoke takes a lesson back; false when there is none for this alert.
func (s *State) Revoke(alert string) (found bool) {
	for i := range s.Lessons {
		if s.Lessons[i].Alert == alert && !s.Lessons[i].Revoked {
			s.Lessons[i].Revoked, found = true, true
		}
	}
	return found
}

func (s *State) isApart(at time.Time) bool {
	for _, a := range s.Apart {
		if !at.Before(a.From) && (a.To.IsZero() || at.Before(a.To)) {
			return true
		}
	}
	return false
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Open lists the alerts whose time is set apart and not over.
func (s *State) Open() (out []Span) {
	for _, a := range s.Apart {
		if a.To.IsZero() {
			out = append(out, a)
		}
	}
	return out
}
