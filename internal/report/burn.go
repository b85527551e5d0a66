package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bucket is what the key was used for in one stretch of the burn curve.
type Bucket struct {
	At    time.Time `json:"at"`
	Calls int64     `json:"calls"`
	USD   *float64  `json:"usd,omitempty"` // missing where nobody can say
}

// mostBuckets bounds what is read, whatever lies in the records.
const mostBuckets = 200

// curve reads the burn curve of the last usage snapshot that has one. A line that does not read is left out.
func (f *Facts) curve() []Bucket {
	for _, s := range slices.Backward(f.Steps) {
		if s.Action != snapshot {
			continue
		}
		out := []Bucket{}
		for _, line := range texts(s.Outputs, "curve") {
			if b, ok := bucket(line); ok && len(out) < mostBuckets {
				out = append(out, b)
			}
		}
		if len(out) > 0 {
			slices.SortStableFunc(out, func(a, b Bucket) int { return a.At.Compare(b.At) })
			return out
		}
	}
	return []Bucket{}
}

func bucket(line string) (b Bucket, ok bool) {
	part := strings.Fields(line)
	if len(part) != 3 {
		return b, false
	}
	at, err1 := time.Parse(time.RFC3339, part[0])
	calls, err2 := strconv.ParseInt(part[1], 10, 64)
	if err1 != nil || err2 != nil || calls < 0 {
		return b, false
	}
	b = Bucket{At: at.UTC(), Calls: calls}
	if usd, err := strconv.ParseFloat(part[2], 64); err == nil && usd >= 0 && !math.IsInf(usd, 0) {
		b.USD = &usd
	}
	return b, true
}

// worth is what a bar stands for: dollars where all buckets have them, calls otherwise.
func worth(curve []Bucket) (unit string, of func(Bucket) float64) {
	if slices.ContainsFunc(curve, func(b Bucket) bool { return b.USD == nil }) {
		return "calls", func(b Bucket) float64 { return float64(b.Calls) }
	}
	return "USD", func(b Bucket) float64 { return *b.USD }
}

// width is the stretch of one bucket: the smallest distance between two.
func width(curve []Bucket) time.Duration {
	least := time.Duration(0)
	for i := 1; i < len(curve); i++ {
		if d := curve[i].At.Sub(curve[i-1].At); d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return max(least, time.Minute)
}

// Bars is the burn curve as text: the highest and the last rows, so that it fits a ticket.
func (f *Facts) bars(rows int) string {
	unit, of := worth(f.Curve)
	highest := 0.0
	for _, b := range f.Curve {
		highest = max(highest, of(b))
	}
	var out strings.Builder
	shown := f.Curve[max(0, len(f.Curve)-rows):]
	if left := len(f.Curve) - len(shown); left > 0 {
		fmt.Fprintf(&out, "%d earlier stretches are left out; the JSON has them all\n", left)
	}
	for _, b := range shown {
		n := 0
		if highest > 0 {
			n = int(math.Ceil(of(b) / highest * 40))
		}
		fmt.Fprintf(&out, "%s %-40s %s\n", b.At.Format("2006-01-02 15:04"), strings.Repeat("#", n), amount(of(b), unit))
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func amount(v float64, unit string) string {
	if unit == "USD" {
		return Dollars(v)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// Size of the picture, in its own units.
const (
	pictureWidth, pictureHeight = 900.0, 240.0
	padLeft, padRight           = 70.0, 16.0
	padTop, padBottom           = 56.0, 30.0
)

// Picture is the burn curve laid out for drawing. All text in it is ours.
type Picture struct {
	Width, Height, Base, Left, Right float64
	Unit, Highest, From, To, Says    string
	Bars                             []Bar
	Lines                            []Line
}

// Bar is one stretch.
type Bar struct {
	X, Y, W, H float64
	Says       string
}

// Line is one mark.
type Line struct {
	X, Y float64
	Name string
	End  bool // the name ends at X, because there is no room behind it
}

// Burn lays the curve out; nil where there is none.
func (f *Facts) Burn() *Picture {
	if len(f.Curve) == 0 {
		return nil
	}
	unit, of := worth(f.Curve)
	step := width(f.Curve)
	from, to := f.Curve[0].At, f.Curve[len(f.Curve)-1].At.Add(step)
	for _, m := range f.Marks {
		if m.Known() && m.At.After(to) && m.At.Sub(to) < to.Sub(from)/2 { // what happened soon after belongs into the picture
			to = m.At
		}
	}
	highest := 0.0
	for _, b := range f.Curve {
		highest = max(highest, of(b))
	}
	p := &Picture{Width: pictureWidth, Height: pictureHeight, Base: pictureHeight - padBottom, Left: padLeft, Right: pictureWidth - padRight, Unit: unit,
		Highest: amount(highest, unit), From: from.Format("Jan 2 15:04"), To: to.Format("Jan 2 15:04") + " UTC"}
	p.Says = fmt.Sprintf("What the key cost from %s to %s; the highest stretch was %s", p.From, p.To, p.Highest)
	x := func(at time.Time) float64 {
		return round(padLeft + (pictureWidth-padLeft-padRight)*at.Sub(from).Seconds()/to.Sub(from).Seconds())
	}
	for _, b := range f.Curve {
		h := 0.0
		if highest > 0 {
			h = round((pictureHeight - padTop - padBottom) * of(b) / highest)
		}
		p.Bars = append(p.Bars, Bar{X: x(b.At), W: max(1, round(x(b.At.Add(step))-x(b.At)-1)), Y: round(p.Base - h), H: h, Says: b.At.Format("15:04") + " " + amount(of(b), unit)})
	}
	for _, m := range f.Marks {
		if m.Known() && !m.At.Before(from) && !m.At.After(to) {
			p.Lines = append(p.Lines, Line{X: x(m.At), Y: padTop - 4 - 12*float64(len(p.Lines)%4), Name: m.Title, End: x(m.At) > pictureWidth-100})
		}
	}
	return p
}

func round(v float64) float64 { return math.Round(v*10) / 10 }
