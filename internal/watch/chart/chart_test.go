package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/watch/chart"
)

func points() (out []chart.Point) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 72 {
		p := chart.Point{At: at.Add(time.Duration(i) * time.Hour), USD: .25 + .2*math.Sin(float64(i)/4), Usual: .25 + .2*math.Sin(float64(i)/4)}
		if i > 69 {
			p.USD = 1708
		}
		out = append(out, p)
	}
	return out
}

func TestTheChartIsAnImageForChat(t *testing.T) {
	t.Parallel()
	raw, err := chart.PNG(points())
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil || img.Bounds().Dx() < 800 || len(raw) > 200<<10 {
		t.Fatalf("%v, %v, %d bytes", err, img.Bounds(), len(raw))
	}
}

func TestTheChartIsWellFormedSVGForPages(t *testing.T) {
	t.Parallel()
	raw, err := chart.SVG(points())
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	t.Parallel()
	bad := points()
	bad[3].USD = math.NaN()
	for name, p := range map[string][]chart.Point{"one hour": points()[:1], "no number": bad} {
		if _, err := chart.PNG(p); err == nil {
			t.Errorf("%s was drawn", name)
		}
	}
}
