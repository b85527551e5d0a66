package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Point is one hour.
type Point struct {
	At    time.Time
	USD   float64 // spent in it
	Usual float64 // what is usual for it
}

// Size of a chart; PNG has twice as many pixels as points, for phones.
const (
	width  = 6.4 * vg.Inch
	height = 2.4 * vg.Inch
	dpi    = 144
)

// Colours that can be told apart by everybody, and in black and white.
var (
	spent = color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff}
	usual = color.RGBA{R: 0x2c, G: 0x5a, B: 0xa0, A: 0xff}
	paper = color.White
)

// SVG draws for a page.
func SVG(points []Point) ([]byte, error) {
	p, err := figure(points)
	if err != nil {
		return nil, err
	}
	c := vgsvg.New(width, height)
	p.Draw(draw.New(c))
	var b bytes.Buffer
	_, err = c.WriteTo(&b)
	return b.Bytes(), err
}

// PNG draws for chat.
func PNG(points []Point) ([]byte, error) {
	p, err := figure(points)
	if err != nil {
		return nil, err
	}
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(paper))
	p.Draw(draw.New(c))
	var b bytes.Buffer
	_, err = vgimg.PngCanvas{Canvas: c}.WriteTo(&b)
	return b.Bytes(), err
}

// figure is the usual as a dashed line below what was spent. Text in it is ours alone, so nothing has to be escaped.
func figure(points []Point) (*plot.Plot, error) {
	if len(points) < 2 {
		return nil, errors.New("a chart needs at least two hours")
	}
	p := plot.New()
	p.BackgroundColor = paper
	for _, f := range []*font.Font{&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Y.Label.TextStyle.Font, &p.Legend.TextStyle.Font} {
		f.Variant, f.Size = "Sans", vg.Points(9)
	}
	p.X.Tick.Marker = plot.TickerFunc(days)
	p.Y.Label.Text = "US dollars an hour, log scale"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(dollars)
	p.Legend.Top, p.Legend.Left = true, true
	points = append(points[:len(points):len(points)], points[len(points)-1]) // the last hour has an end, too
	points[len(points)-1].At = points[len(points)-2].At.Add(time.Hour)
	now, before := make(plotter.XYs, len(points)), make(plotter.XYs, len(points))
	for i, pt := range points {
		if bad(pt.USD) || bad(pt.Usual) {
			return nil, fmt.Errorf("the hour of %s has no drawable amount", pt.At.UTC().Format(time.RFC3339))
		}
		x := float64(pt.At.Unix())
		now[i], before[i] = plotter.XY{X: x, Y: max(pt.USD, least)}, plotter.XY{X: x, Y: max(pt.Usual, least)}
	}
	for _, l := range []struct {
		name   string
		xy     plotter.XYs
		colour color.Color
		dashes []vg.Length
		step   plotter.StepKind
	}{
		{"usual", before, usual, []vg.Length{vg.Points(4), vg.Points(3)}, plotter.PostStep},
		{"this key", now, spent, nil, plotter.PostStep},
	} {
		line, err := plotter.NewLine(l.xy)
		if err != nil {
			return nil, err
		}
		line.StepStyle = l.step
		line.LineStyle = draw.LineStyle{Color: l.colour, Width: vg.Points(1.6), Dashes: l.dashes}
		p.Add(line)
		p.Legend.Add(l.name, line)
	}
	return p, nil
}

// least is the lowest amount that is drawn: a logarithm knows no zero.
const least = 0.01

// days marks midnights, in UTC.
func days(from, to float64) (out []plot.Tick) {
	for at := time.Unix(int64(from), 0).UTC().Truncate(24 * time.Hour); float64(at.Unix()) <= to; at = at.Add(12 * time.Hour) {
		tick := plot.Tick{Value: float64(at.Unix())}
		if at.Hour() == 0 {
			tick.Label = at.Format("Jan 2, 15:04 UTC")
		}
		if tick.Value >= from {
			out = append(out, tick)
		}
	}
	return out
}

// dollars marks powers of ten.
func dollars(from, to float64) (out []plot.Tick) {
	for v := least; v <= to*10; v *= 10 {
		if v >= from*.99 && v <= to*1.01 {
			out = append(out, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
		}
	}
	return out
}

func bad(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) || v < 0 }
