package watch

import (
	"cmp"
	"slices"
	"time"
)

// Live walks through recorded rows as if they had come one bucket at a time, and gives back every alarm. Buckets between
// the first and until that have no row cost nothing. Rows that are whole hours are spread over the hour's buckets.
func (s *State) Live(rows []Row, until time.Time, limits Limits) (alarms []Alarm, oddities []string) {
	width := s.Width.Std()
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })
	if len(rows) == 0 {
		return nil, nil
	}
	at := rows[0].At.UTC().Truncate(width)
	if oldest := until.Add(-weeks * 7 * day).Truncate(width); at.Before(oldest) {
		at = oldest
	}
	for i := 0; at.Before(until); at = at.Add(width) {
		bucket := []Row{{At: at}}
		for ; i < len(rows) && rows[i].At.Before(at.Add(width)); i++ {
			if !rows[i].At.Before(at) {
				bucket = append(bucket, rows[i])
			}
		}
		alarm, odd := s.Poll(at.Add(width), bucket, limits)
		if alarm != nil {
			alarms = append(alarms, *alarm)
		}
		oddities = append(oddities, odd...)
	}
	return alarms, oddities
}

// Spread divides rows that stand for a whole hour evenly over its buckets, for providers that tell minutes of the last day
// only. How bursty the hour was stays unknown; the highest quotients of the shortest window are then as high as it can be.
func Spread(rows []Row, width time.Duration) []Row {
	parts := int64(time.Hour / width)
	if parts < 2 {
		return rows
	}
	out := make([]Row, 0, len(rows)*int(parts))
	for _, r := range rows {
		for n := range parts {
			part := r
			part.At = r.At.UTC().Truncate(time.Hour).Add(time.Duration(n) * width)
			part.Micro = r.Micro / parts
			if n == 0 {
				part.Micro += r.Micro % parts
			}
			out = append(out, part)
		}
	}
	return out
}
