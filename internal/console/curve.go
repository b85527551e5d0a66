package console

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// curve is the money over time, as far as it was looked at. Places are in the units of its picture.
type curve struct {
	Line, Area string // points of the line, and of what lies below it
	Dots       []dot
	Levels     []level
	Marks      []flag
	Ticks      []tick
	Basis      string
	Measured   bool   // the provider's own stretches, honest use among them, rather than our looks
	Lower      string // why the figures are a lower bound
	Words      string // the same for those who do not see it
}

type dot struct {
	X, Y  float64
	Label string
}

type level struct {
	Y     float64
	Label string
}

// flag is a mark on the curve. Row keeps names that stand close from writing over each other.
type flag struct {
	X     float64
	Y     float64
	Name  string
	Label string
	End   bool // the name stands left of the line
}

// Size of the picture of a curve.
const (
	curveW, curveH                = 920.0, 250.0
	curveLeft, curveRight         = 64.0, 16.0
	curveTop, curveBottom         = 62.0, 26.0
	flagRow                       = 15.0
	flagRows                      = 3
	flagRoom                      = 92.0
	curvePlotW                    = curveW - curveLeft - curveRight
	curvePlotH                    = curveH - curveTop - curveBottom
	mostLevels            float64 = 4
)

type spent struct {
	at  time.Time
	usd float64
}

// burnCurve joins what each usage snapshot said the key had cost. Before the first abuse the thief had cost nothing; between two
// looks nobody measured, and the line is straight.
func burnCurve(f *report.Facts) *curve {
	points, basis, lower := looks(f)
	measured := buckets(f)
	if len(measured) > 1 {
		points = measured
	}
	if len(points) < 2 || points[len(points)-1].usd <= 0 {
		return nil
	}
	s := scale{points[0].at, points[len(points)-1].at}
	for _, m := range f.Marks {
		if m.Known() && m.At.After(s.to) {
			s.to = m.At
		}
	}
	if !s.to.After(s.from) {
		return nil
	}
	c := &curve{Basis: basis, Lower: lower, Measured: len(measured) > 1}
	step := niceStep(points[len(points)-1].usd / mostLevels)
	top := math.Ceil(points[len(points)-1].usd/step) * step
	x := func(t time.Time) float64 { return curveLeft + s.at(t)/100*curvePlotW }
	y := func(usd float64) float64 { return curveTop + (1-usd/top)*curvePlotH }
	var line []string
	for i, p := range points {
		line = append(line, fmt.Sprintf("%.1f,%.1f", x(p.at), y(p.usd)))
		if !c.Measured && (i > 0 || p.usd > 0) {
			c.Dots = append(c.Dots, dot{x(p.at), y(p.usd), fmt.Sprintf("%s at %s", report.Dollars(p.usd), report.Stamp(p.at))})
		}
	}
	c.Line = strings.Join(line, " ")
	c.Area = fmt.Sprintf("%s %.1f,%.1f %.1f,%.1f", c.Line, x(points[len(points)-1].at), y(0), x(points[0].at), y(0))
	for v := 0.0; v <= top+step/2; v += step {
		c.Levels = append(c.Levels, level{y(v), "$" + strings.TrimPrefix(strings.TrimSuffix(report.Dollars(v), ".00"), "$")})
	}
	c.flags(f, x)
	c.axis(f, s)
	c.Words = c.say(points)
	return c
}

// buckets adds up the stretches of the last usage snapshot that has a price for each of them.
func buckets(f *report.Facts) (points []spent) {
	if len(f.Curve) == 0 {
		return nil
	}
	read := lastRead(f)
	sum, stretch := 0.0, time.Minute // providers count in minutes at the finest
	if len(f.Curve) > 1 {
		stretch = f.Curve[1].At.Sub(f.Curve[0].At) // all are of one length
	}
	for i, b := range f.Curve {
		if b.USD == nil {
			return nil
		}
		end := b.At.Add(stretch)
		if read.After(b.At) && end.After(read) {
			end = read // a stretch that had not ended when it was read says nothing of what came after
		}
		if i == 0 {
			points = append(points, spent{b.At, 0})
		}
		sum += *b.USD
		points = append(points, spent{end, sum})
	}
	return points
}

// lastRead is when the last usage snapshot was taken.
func lastRead(f *report.Facts) (at time.Time) {
	for _, st := range f.Steps {
		if st.Action == "usage.snapshot" && st.FinishedAt.After(at) {
			at = st.FinishedAt
		}
	}
	return at
}

// looks are the snapshots with a figure, in time; those that said less than an earlier one are of another window and left out.
func looks(f *report.Facts) (points []spent, basis, lower string) {
	for _, st := range f.Steps {
		var out struct {
			Cost       *float64 `json:"cost_usd"`
			Basis      string   `json:"cost_basis"`
			Incomplete string   `json:"incomplete"`
		}
		if st.Action != "usage.snapshot" || st.FinishedAt.IsZero() || json.Unmarshal(st.Outputs, &out) != nil || out.Cost == nil {
			continue
		}
		if n := len(points); n > 0 && (points[n-1].usd > *out.Cost || !st.FinishedAt.After(points[n-1].at)) {
			continue
		}
		points, basis, lower = append(points, spent{st.FinishedAt, *out.Cost}), out.Basis, out.Incomplete
	}
	if at := f.Mark("first_abuse").At; len(points) > 0 && !at.IsZero() && at.Before(points[0].at) {
		points = append([]spent{{at, 0}}, points...)
	}
	return points, basis, lower
}

// niceStep is 1, 2 or 5 times a power of ten, at least v.
func niceStep(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= v {
			return m * p
		}
	}
	return 10 * p
}

// flags puts each known mark on the curve, its name in the first row that has room.
func (c *curve) flags(f *report.Facts, x func(time.Time) float64) {
	free := [flagRows]float64{}
	for _, m := range f.Marks {
		if !m.Known() {
			continue
		}
		at, row := x(m.At), 0
		for row < flagRows-1 && free[row] > at {
			row++
		}
		end := at+flagRoom > curveW
		free[row] = at + flagRoom
		c.Marks = append(c.Marks, flag{at, 14 + float64(row)*flagRow, m.Title, m.Title + " " + f.SinceAlert(m.At), end})
	}
}

func (c *curve) axis(f *report.Facts, s scale) {
	for i := range 5 {
		t := s.from.Add(s.to.Sub(s.from) * time.Duration(i) / 4)
		c.Ticks = append(c.Ticks, tick{fmt.Sprintf("%.1f", curveLeft+curvePlotW*float64(i)/4), f.SinceAlert(t)})
	}
}

func (c *curve) say(points []spent) string {
	var out []string
	if n := len(points); c.Measured {
		points = []spent{points[0], points[n/2], points[n-1]}
	}
	for _, p := range points {
		out = append(out, report.Dollars(p.usd)+" at "+report.Stamp(p.at))
	}
	return "Money spent with the key: " + strings.Join(out, ", ")
}
