package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// honestMonth is what every series is scaled to: the usual bill of the published case, in dollars.
const honestMonth = 180

// series is one key's honest use.
type series struct {
	name    string
	width   time.Duration
	buckets []watch.Row
}

// days is the length of a series.
func (s series) days() float64 { return float64(len(s.buckets)) * s.width.Hours() / 24 }

// recorded reads every file of a folder with columns timestamp and value.
func recorded(folder string) ([]series, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil {
		return nil, err
	}
	var out []series
	for _, f := range files {
		s, err := readSeries(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(f), err)
		}
		out = append(out, s)
	}
	return out, nil
}

func readSeries(path string) (series, error) {
	f, err := os.Open(path)
	if err != nil {
		return series{}, err
	}
	defer f.Close() //nolint:errcheck // read only
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return series{}, err
	}
	times, values := make([]time.Time, 0, len(rows)), make([]float64, 0, len(rows))
	for _, row := range rows[1:] {
		at, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			return series{}, err
		}
		v, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return series{}, err
		}
		times, values = append(times, at), append(values, v)
	}
	return scaled(strings.TrimSuffix(filepath.Base(path), ".csv"), times, values), nil
}

// scaled makes money of counts, so that a month costs honestMonth.
func scaled(name string, times []time.Time, values []float64) series {
	gaps := make([]time.Duration, 0, len(times))
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i].Sub(times[i-1]))
	}
	slices.Sort(gaps)
	s := series{name: name, width: gaps[len(gaps)/2]}
	total := 0.0
	for _, v := range values {
		total += v
	}
	perBucket := honestMonth / (30 * 24 / s.width.Hours())
	factor := perBucket * float64(len(values)) / total * 1e6
	for i, v := range values {
		s.buckets = append(s.buckets, watch.Row{At: times[i].Truncate(s.width), Micro: int64(math.Round(v * factor))})
	}
	return s
}

// made are series of our own, so that the check says something on a machine that has no recorded ones: office hours with a
// holiday, a batch job at night, and short bursts with a heavy tail.
func made() []series {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	shapes := map[string]func(*rand.Rand, time.Time) float64{
		"office hours": func(r *rand.Rand, at time.Time) float64 {
			v := 2 + 60*math.Exp(-math.Pow(float64(at.Hour())+float64(at.Minute())/60-14, 2)/18)
			if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday || at.YearDay()%45 == 0 {
				v = 3
			}
			return v * math.Exp(r.NormFloat64()*.25)
		},
		"batch at night": func(r *rand.Rand, at time.Time) float64 {
			if at.Hour() == 2 && at.Minute() < 40+r.IntN(20) {
				return 400 * math.Exp(r.NormFloat64()*.2)
			}
			return r.ExpFloat64()
		},
		"bursts": func(r *rand.Rand, _ time.Time) float64 {
			v := 10 * math.Exp(r.NormFloat64()*.5)
			if r.IntN(600) == 0 {
				v *= math.Min(60, 4/math.Pow(r.Float64(), .7))
			}
			return v
		},
	}
	var out []series
	for _, name := range []string{"office hours", "batch at night", "bursts"} {
		r := rand.New(rand.NewPCG(7, uint64(len(name)))) //nolint:gosec // a fixed seed is the point
		var times []time.Time
		var values []float64
		for at := start; at.Before(start.AddDate(0, 0, 90)); at = at.Add(5 * time.Minute) {
			times, values = append(times, at), append(values, shapes[name](r, at))
		}
		out = append(out, scaled(name, times, values))
	}
	return out
}
