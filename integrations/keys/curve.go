package keys

import (
	"math"
	"slices"
	"time"
)

// Bucket is the use of a key in a stretch of time that begins at At.
type Bucket struct {
	At       time.Time
	Requests int64
	MicroUSD int64
}

// widths are the stretches that a curve is drawn in.
var widths = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 365 * 24 * time.Hour}

// Curve sums the rows up in at most the given number of equally wide stretches, the narrowest that fit; those without use are
// left out. Money that a provider tells as one sum is shared out by tokens, else by calls.
func (u Usage) Curve(most int) (out []Bucket) {
	rows := u.priced()
	if len(rows) == 0 || most < 2 {
		return nil
	}
	byTime := func(a, b UsageRow) int { return a.At.Compare(b.At) }
	first, last := slices.MinFunc(rows, byTime).At, slices.MaxFunc(rows, byTime).At
	width := widths[len(widths)-1]
	for _, w := range widths {
		if last.Sub(first)/w < time.Duration(most-1) {
			width = w
			break
		}
	}
	sums := map[time.Time]Bucket{}
	for _, r := range rows {
		at := r.At.UTC().Truncate(width)
		b := sums[at]
		sums[at] = Bucket{At: at, Requests: b.Requests + r.Requests, MicroUSD: b.MicroUSD + r.MicroUSD}
	}
	for _, b := range sums {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b Bucket) int { return a.At.Compare(b.At) })
	return out
}

// SinceAbuse sums up the rows from the first abuse on, honest use among them; known is false where nobody can say when it
// began. A row that began before it and may reach into it is left out.
func (u Usage) SinceAbuse() (total Bucket, known bool) {
	if u.FirstAbuse.IsZero() {
		return total, false
	}
	total.At = u.FirstAbuse
	for _, r := range u.priced() {
		if !r.At.Before(u.FirstAbuse) {
			total.Requests += r.Requests
			total.MicroUSD += r.MicroUSD
		}
	}
	return total, true
}

// priced are the rows with the money that each stands for.
func (u Usage) priced() []UsageRow {
	if !u.CostKnown || slices.ContainsFunc(u.Rows, func(r UsageRow) bool { return r.MicroUSD != 0 }) {
		return u.Rows
	}
	weigh, all := u.weight(), 0.0
	for _, r := range u.Rows {
		all += float64(weigh(r))
	}
	if all <= 0 {
		return u.Rows
	}
	out := slices.Clone(u.Rows)
	for i, r := range out {
		out[i].MicroUSD = int64(math.Round(float64(u.MicroUSD) * float64(weigh(r)) / all))
	}
	return out
}
