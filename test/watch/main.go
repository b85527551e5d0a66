package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

func main() {
	folder := flag.String("traffic", "../shared/data/traffic", "folder of recorded series, CSV with timestamp and value")
	n := flag.Int("injections", 200, "thefts of each kind")
	format := flag.String("o", "text", "text or json")
	keys := flag.Int("cost", 0, "measure what a sweep over so many keys takes of one core, and judge nothing")
	flag.Parse()
	judge := func() error { return run(*folder, *n, *format) }
	if *keys > 0 {
		judge = func() error { return cost(context.Background(), *keys) }
	}
	if err := judge(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result of one rule over all series.
type result struct {
	Rule   string        `json:"rule"`
	False  int           `json:"false_alarms"`
	Worst  float64       `json:"worst_false_alarms_per_60_days"`
	Thefts []theftResult `json:"thefts"`
}

type theftResult struct {
	Theft     string  `json:"theft"`
	Injected  int     `json:"injected"`
	Found     int     `json:"found"`
	TwoPolls  int     `json:"found_in_two_polls"`
	Recall    float64 `json:"recall"`
	Precision float64 `json:"precision"`
	MedianUSD float64 `json:"median_usd_until_found"`
	usd       []float64
}

func run(folder string, n int, format string) error {
	all, err := recorded(folder)
	if err != nil {
		return err
	}
	all = append(all, made()...)
	rules := []struct {
		name string
		make func(series) rule
	}{
		{"the watch", func(s series) rule { return &ours{watch.NewState(s.width)} }},
		{"cap: 10 x average an hour", func(series) rule { return &fixedCap{limit: 10 * honestHour} }},
		{"mean + 3 sigma", func(series) rule { return &sigma{} }},
	}
	var out []result
	days := 0.0
	for _, r := range rules {
		one := result{Rule: r.name}
		for _, t := range thefts {
			one.Thefts = append(one.Thefts, theftResult{Theft: t.name})
		}
		for i, s := range all {
			share := n / len(all)
			if i < n%len(all) {
				share++
			}
			walk(&one, r.make(s), s, share)
			if r.name == rules[0].name {
				days += s.days()
			}
		}
		out = append(out, one.sum())
	}
	if format == "json" {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"days": days, "rules": out})
	}
	return print(out, days)
}

// walk polls one series, counts the false alarms, which a person takes back and injects thefts at random moments.
func walk(out *result, r rule, s series, injections int) {
	dice := rand.New(rand.NewPCG(11, uint64(len(s.buckets)))) //nolint:gosec // a fixed seed: the same thefts for each rule
	when := map[int]int{}
	warm := int(72 * time.Hour / s.width)
	for range injections {
		when[warm+dice.IntN(len(s.buckets)-warm-int(48*time.Hour/s.width))]++
	}
	alarms := 0
	var quiet time.Time
	for i, b := range s.buckets {
		for range when[i] {
			for k, t := range thefts {
				out.Thefts[k].add(inject(r.clone(), s, i, t, dice))
			}
		}
		now := b.At.Add(s.width)
		if !r.poll(now, b) {
			continue
		}
		if now.After(quiet) { // what follows within a day joins the same incident
			alarms++
			quiet = now.Add(24 * time.Hour)
		}
		r.forgive(now)
	}
	out.False += alarms
	out.Worst = max(out.Worst, float64(alarms)/max(1, s.days()/60))
}

func (t *theftResult) add(f found) {
	t.Injected++
	if f.ok {
		t.Found++
	}
	if f.ok && f.polls <= 2 {
		t.TwoPolls++
	}
	t.usd = append(t.usd, f.usd)
}

func (r result) sum() result {
	for i := range r.Thefts {
		t := &r.Thefts[i]
		t.Recall = float64(t.Found) / float64(max(1, t.Injected))
		t.Precision = float64(t.Found) / float64(max(1, t.Found+r.False))
		slices.Sort(t.usd)
		t.MedianUSD = t.usd[len(t.usd)/2]
	}
	return r
}

func print(all []result, days float64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "rule\ttheft\tinjected\tfound\tin two polls\trecall\tprecision\tmedian USD lost\tfalse alarms\tworst per 60 days")
	for _, r := range all {
		for _, t := range r.Thefts {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%d\t%.1f\n", r.Rule, t.Theft, t.Injected, t.Found, t.TwoPolls, t.Recall, t.Precision, t.MedianUSD, r.False, r.Worst)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Printf("%d injections, %d found in two polls, %d false alarms in %.0f days\n", all[0].Thefts[0].Injected, all[0].Thefts[0].TwoPolls, all[0].False, days)
	return err
}
