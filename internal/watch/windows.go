package watch

import "time"

// windows is how many stretches are looked at.
const windows = 5

// window is one stretch that ends now. A quotient alarms when it is margin times the highest of the last sixty days (at least
// ordinary), and when the surplus is at least usd.
type window struct {
	name     string
	length   time.Duration
	margin   float64
	ordinary float64 // quotients up to this are ordinary for any key
	usd      float64 // a surplus below this is not worth a person's night
}

// table is the whole tuning of the rule, made on the shapes that `make watch` prints. Short windows see fast thefts and need
// wide margins, because honest use is bursty; long windows see slow ones.
func table(width time.Duration) [windows]window {
	return [windows]window{
		{"two readings", 2 * width, 3, 15, 5},
		{"hour", time.Hour, 2, 5, 3},
		{"six hours", 6 * time.Hour, 1.7, 2.5, 5},
		{"day", day, 1.35, 1.4, 4},
		{"three days", 3 * day, 1.2, 1.25, 9},
	}
}

// softening is the share of the key's average that is added to both sides of a quotient, and a cent an hour with it, so
// that hours with usually a handful of calls do not alarm over two handfuls.
const (
	softening = 0.1
	cent      = 10_000 // millionths of a dollar
)

// reading is what a window holds beside what is usual, in millionths of a dollar.
type reading struct {
	actual, usual float64
	covered       float64 // share of the window for which there are buckets
	quotient      float64
}

// read walks back from end over all windows at once. Gaps count on neither side.
func (s *State) read(end time.Time) (out [windows]reading) {
	width, average, tab := s.Width.Std(), s.average(), table(s.Width.Std())
	var actual, usual, level float64
	var hour time.Time
	known := 0
	for n, w := 1, 0; w < windows; n++ {
		at := end.Add(-time.Duration(n) * width)
		if h := at.Truncate(time.Hour); !h.Equal(hour) {
			hour = h
			level, _ = s.Usual(h)
		}
		if v, ok := s.Recent[at.Unix()]; ok {
			actual, usual = actual+float64(v), usual+level*width.Hours()
			known++
		}
		for ; w < windows && time.Duration(n)*width >= tab[w].length; w++ {
			pad := average*softening*(time.Duration(n)*width).Hours() + cent
			out[w] = reading{actual, usual, float64(known) / float64(n), (actual + pad) / (usual + pad)}
		}
	}
	return out
}

// peaks are the highest quotients of the last sixty days and of lessons. The window itself and two days before it do not count: what begins now must not
// raise its own bar.
func (s *State) peaks(end time.Time) (out [windows]float64) {
	tab := table(s.Width.Std())
	for _, d := range s.Days {
		for w, p := range d.Peaks {
			if d.At.Before(end.Add(-tab[w].length - 2*day)) {
				out[w] = max(out[w], p)
			}
		}
	}
	for _, l := range s.Lessons {
		if l.Revoked || l.At.Before(end.Add(-peakDays*day)) {
			continue
		}
		for w, p := range l.Peaks {
			out[w] = max(out[w], p)
			if end.Sub(l.At) < tab[windows-1].length { // an honest burst may still be going on
				out[w] = max(out[w], l.Burst)
			}
		}
	}
	return out
}

// note keeps the day's highest quotients. Those of a key's first days are left out: they are made of ignorance.
func (s *State) note(end time.Time, reads [windows]reading) {
	today := end.Truncate(day)
	if n := len(s.Days); n == 0 || s.Days[n-1].At.Before(today) {
		s.Days = append(s.Days, Day{At: today})
		s.Days = s.Days[max(0, len(s.Days)-peakDays):]
	}
	last := &s.Days[len(s.Days)-1]
	for w, r := range reads {
		if r.covered >= halfCovered && len(s.Days) >= infancy {
			last.Peaks[w] = max(last.Peaks[w], r.quotient)
		}
	}
}

// halfCovered is the share of a window that must be known before it says anything.
const halfCovered = 0.5
