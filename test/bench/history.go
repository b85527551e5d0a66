package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// kept is one line of the history.
type kept struct {
	Date    string  `json:"date"`
	Commit  string  `json:"commit"`
	Machine string  `json:"machine"`
	Report  *report `json:"report"`
}

// historyFile is where the history lies in the source tree.
const historyFile = "test/bench/history.jsonl"

// remember finds what came out the last time, and adds what came out now where that is wanted.
func (c choices) remember(ctx context.Context, rep *report) error {
	root, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		if c.record {
			return fmt.Errorf("the history lies in the source tree, and this is none: %w", err)
		}
		return nil // without a tree there is nothing to compare with
	}
	path := filepath.Join(strings.TrimSpace(string(root)), historyFile)
	if rep.before, err = lastKept(path); err != nil || !c.record {
		return err
	}
	commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return fmt.Errorf("git does not say which commit this is: %w", err)
	}
	raw, err := json.Marshal(kept{time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(commit)), machine(), rep})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // it is committed, and read by everybody
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Close())
}

// lastKept is the newest line; nil when there is none.
func lastKept(path string) (last *kept, err error) {
	f, err := os.Open(path) //nolint:gosec // our own history
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		last = &kept{}
		if err := json.Unmarshal(lines.Bytes(), last); err != nil || last.Report == nil {
			return nil, errors.Join(fmt.Errorf("%s:%d is no kept report", path, n), err)
		}
	}
	return last, lines.Err()
}

// machine says on what it was measured.
func machine() string {
	name := runtime.GOARCH
	if body, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(body)) {
			if what, is, _ := strings.Cut(line, ":"); strings.TrimSpace(what) == "model name" {
				name = strings.TrimSpace(is)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores of %s, %s, %s", runtime.NumCPU(), name, runtime.GOOS, runtime.Version())
}

// figures are what can be compared from one time to another, in order: ratios within one session first.
func (r *report) figures() (names []string, values map[string]float64) {
	values = map[string]float64{}
	add := func(v float64, format string, args ...any) {
		name := fmt.Sprintf(format, args...)
		names, values[name] = append(names, name), v
	}
	for _, store := range []struct {
		name string
		r    *report
	}{{"SQLite", r}, {"PostgreSQL", r.Postgres}} {
		if store.r == nil {
			continue
		}
		for _, q := range store.r.Ratios {
			add(q.P50, "%s, %d at once: p50, of the bare workflow's", store.name, q.AtOnce)
			add(q.RunsSec, "%s, %d at once: runs/s, of the bare workflow's", store.name, q.AtOnce)
		}
	}
	for _, s := range r.Scale {
		add(s.RunsSec, "%d workers (%d %%): runs/s", s.Workers, s.Share)
	}
	if r.Idle != nil {
		add(r.Idle.MiB, "idle serve: MiB")
	}
	if g := r.Growth; g != nil {
		add(round(g.CPUThen/g.CPU), "cost with ten times the closed runs")
	}
	if p := r.Parked; p != nil {
		add(p.ListMillis, "%d parked: list, ms", p.Runs)
		add(p.DecidedIn, "%d parked: decided after a restart, s", p.Runs)
		if p.AfterRestart != nil {
			add(p.AfterRestart.MiB, "%d parked: MiB after a restart", p.Runs)
			add(p.AfterRestart.CPUPercent, "%d parked: %% of a core", p.Runs)
		}
	}
	return names, values
}

// compare prints what came out beside what came out before.
func (r *report) compare(out io.Writer) error {
	if r.before == nil {
		return nil
	}
	_, _ = fmt.Fprintf(out, "\nbeside %s of %s, on %s:\n", r.before.Commit, r.before.Date, r.before.Machine)
	if here := machine(); here != r.before.Machine {
		_, _ = fmt.Fprintf(out, "this machine is another: %s\n", here)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "WHAT\tTHEN\tNOW\tCHANGE") // Flush reports what failed
	names, now := r.figures()
	_, then := r.before.Report.figures()
	for _, name := range names {
		if was, known := then[name]; known && was > 0 {
			_, _ = fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%+.0f %%\n", name, was, now[name], 100*(now[name]/was-1))
		} else {
			_, _ = fmt.Fprintf(t, "%s\t–\t%.2f\t\n", name, now[name])
		}
	}
	return t.Flush()
}
