package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// The aims: p50 at most one and a half times, and runs per second at 8 at once at least two thirds of the bare workflow's.
const (
	aimP50  = 1.5
	aimRuns = 0.66
)

// report is the answer of one bench.
type report struct {
	Cores        int      `json:"cores"`
	Rows         []*row   `json:"rows"`
	Ratios       []ratio  `json:"ratios"`
	Idle         *idle    `json:"idle,omitempty"`
	AfterLoadMiB float64  `json:"after_load_mib,omitempty"`
	Calls        []string `json:"calls_per_run"`
	Aims         []aim    `json:"aims"`

	Rehearsal  *rehearsal `json:"rehearsal,omitempty"`
	LintMillis float64    `json:"lint_300_lines_ms,omitempty"`
	Growth     *growth    `json:"growth,omitempty"`
	Parked     *parked    `json:"parked,omitempty"`
	Postgres   *report    `json:"postgres,omitempty"` // the same rows with records and engine in a PostgreSQL
	Scale      []scaled   `json:"scale,omitempty"`

	before *kept // what came out the last time somebody kept it

	calls map[string]map[string]int
	runs  map[string]int
}

// row is one side with one number of alerts at once. Times are milliseconds from the alert's POST to the first request that
// changes its key.
type row struct {
	Side    string  `json:"side"`
	AtOnce  int     `json:"at_once"`
	Samples int     `json:"samples"`
	P50     float64 `json:"p50_ms"`
	P95     float64 `json:"p95_ms"`
	P99     float64 `json:"p99_ms"`
	RunsSec float64 `json:"runs_per_second"`

	latencies []time.Duration
	took      time.Duration
}

// ratio is tourniquet divided by bare.
type ratio struct {
	AtOnce  int     `json:"at_once"`
	P50     float64 `json:"p50"`
	RunsSec float64 `json:"runs_per_second"`
}

type aim struct {
	What string  `json:"what"`
	Got  float64 `json:"got"`
	Met  bool    `json:"met"`
}

func newReport() *report {
	return &report{Cores: runtime.NumCPU(), calls: map[string]map[string]int{}, runs: map[string]int{}}
}

func (r *report) add(side string, at int, t turn) {
	i := slices.IndexFunc(r.Rows, func(x *row) bool { return x.Side == side && x.AtOnce == at })
	if i < 0 {
		i, r.Rows = len(r.Rows), append(r.Rows, &row{Side: side, AtOnce: at})
	}
	one := r.Rows[i]
	one.latencies, one.took = append(one.latencies, t.latencies...), one.took+t.took
	slices.Sort(one.latencies)
	one.P50, one.P95, one.P99 = one.at(.50), one.at(.95), one.at(.99)
	one.Samples = len(one.latencies)
	one.RunsSec = round(float64(len(one.latencies)) / one.took.Seconds())
	if r.calls[side] == nil {
		r.calls[side] = map[string]int{}
	}
	for name, n := range t.calls {
		r.calls[side][name] += n
	}
	r.runs[side] += len(t.latencies)
}

// at is the smallest latency that a share q of all samples does not exceed.
func (x *row) at(q float64) float64 {
	i := int(math.Ceil(q*float64(len(x.latencies)))) - 1
	return round(float64(x.latencies[max(i, 0)].Microseconds()) / 1000)
}

func round(f float64) float64 { return math.Round(f*100) / 100 }

// sameCalls fails when the two sides did not make the same calls: then the ratio would say nothing. Retries of either side
// would show here too.
func (r *report) sameCalls() error {
	r.conclude()
	var faults []string
	names := maps.Clone(r.calls["tourniquet"])
	maps.Copy(names, r.calls["bare"])
	for _, name := range slices.Sorted(maps.Keys(names)) {
		ours, theirs := float64(r.calls["tourniquet"][name])/float64(r.runs["tourniquet"]), float64(r.calls["bare"][name])/float64(r.runs["bare"])
		if math.Abs(ours-theirs) > 0.02 {
			faults = append(faults, fmt.Sprintf("%s: %.2f a run by tourniquet, %.2f by the bare workflow", name, ours, theirs))
		}
		if ours > 0 {
			r.Calls = append(r.Calls, fmt.Sprintf("%s × %.4g", name, round(ours)))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("the two sides made different calls, so they cannot be compared:\n  %s", strings.Join(faults, "\n  "))
	}
	return nil
}

func (r *report) conclude() {
	for _, ours := range r.Rows {
		for _, bare := range r.Rows {
			if ours.Side == "tourniquet" && bare.Side == "bare" && ours.AtOnce == bare.AtOnce {
				r.Ratios = append(r.Ratios, ratio{AtOnce: ours.AtOnce, P50: round(ours.P50 / bare.P50), RunsSec: round(ours.RunsSec / bare.RunsSec)})
			}
		}
	}
	if t := r.Rehearsal; t != nil {
		r.Aims = append(r.Aims, aim{fmt.Sprintf("playbook test of the whole library within %.3g s", aimTests), t.Seconds, t.Seconds <= aimTests})
	}
	if r.LintMillis > 0 {
		r.Aims = append(r.Aims, aim{fmt.Sprintf("lint of a playbook of 300 lines within %.3g ms", aimLint), r.LintMillis, r.LintMillis <= aimLint})
	}
	for _, q := range r.Ratios {
		switch q.AtOnce {
		case 1:
			r.Aims = append(r.Aims, aim{fmt.Sprintf("p50 one at a time at most %.3g times the bare workflow's", aimP50), q.P50, q.P50 <= aimP50})
		case 8:
			r.Aims = append(r.Aims, aim{fmt.Sprintf("p50 at 8 at once at most %.3g times the bare workflow's", aimP50), q.P50, q.P50 <= aimP50},
				aim{fmt.Sprintf("runs/s at 8 at once at least %.3g times the bare workflow's", aimRuns), q.RunsSec, q.RunsSec >= aimRuns})
		}
	}
}

// rows prints the comparison of both sides.
func (r *report) rows(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) } // Flush reports what failed
	line("at once\tside\tsamples\tp50 ms\tp95 ms\tp99 ms\truns/s\t")
	for _, at := range []int{1, 8, 32} {
		for _, x := range r.Rows {
			if x.AtOnce == at {
				line("%d\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t", at, x.Side, x.Samples, x.P50, x.P95, x.P99, x.RunsSec)
			}
		}
		for _, q := range r.Ratios {
			if q.AtOnce == at {
				line("\tratio\t\t%.2f\t\t\t%.2f\t", q.P50, q.RunsSec)
			}
		}
	}
	return t.Flush()
}

func (r *report) table(out io.Writer) error {
	if err := r.rows(out); err != nil {
		return err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	say("\n%d cores; embedded engine, SQLite; times from the alert's POST to the first request that changes its key", r.Cores)
	say("calls of one run, on both sides: %s", strings.Join(r.Calls, ", "))
	if r.Idle != nil {
		say("idle serve: %.0f MiB resident, %.1f %% of one core; %.0f MiB after the load", r.Idle.MiB, r.Idle.CPUPercent, r.AfterLoadMiB)
	}
	if t := r.Rehearsal; t != nil {
		say("playbook test of the library: %d tests of %d playbooks, %.0f virtual hours in %.1f s", t.Tests, t.Playbooks, t.VirtualHours, t.Seconds)
	}
	if r.LintMillis > 0 {
		say("playbook lint of 300 lines, without the start of the program: %.1f ms", r.LintMillis)
	}
	r.tableMore(say)
	if err := r.tablePostgres(out); err != nil {
		return err
	}
	for _, a := range r.Aims {
		verdict := "met"
		if !a.Met {
			verdict = "MISSED"
		}
		say("%s: %s (%.2f)", verdict, a.What, a.Got)
	}
	return r.compare(out)
}
