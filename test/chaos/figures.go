package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// phase is a part of the time, and what happened in it has its own figures.
type phase struct {
	name     string
	from, to time.Time
}

// took is how long something took that began at a time.
type took struct {
	at time.Time
	d  time.Duration
}

// conclude prints the figures and what was lost.
func (g *siege) conclude(ctx context.Context, out io.Writer, v verdict, phases []phase, restarts int) error {
	sent, err := readSent(filepath.Join(g.Dir, sentLog))
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "what\trestarts\tcount\tp50 ms\tp99 ms\tlongest ms\t") // Flush reports what failed
	world := g.w.Entries()
	pressed := pressesOf(world)
	made, err := g.recorded(ctx, pressed)
	if err != nil {
		return err
	}
	for _, row := range []struct {
		name string
		all  []took
	}{{"an alert, until it is answered 202", answers(sent)}, {"an alert, until its key is contained", contained(sent, world)}, {"a press that decides, until it is acknowledged", pressed.took}} {
		for _, p := range phases {
			of := p.of(row.all)
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t\n", row.name, p.name, len(of), at(of, .5), at(of, .99), at(of, 1))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "\n%s\n%d requests were cut off with their process and made again; %d presses were not acknowledged, and people pressed again\n",
		v.table, g.front.Failed.Load(), pressed.unanswered)
	lost := pressed.against(made)
	for _, l := range lost[:min(len(lost), 10)] {
		_, _ = fmt.Fprintln(out, l)
	}
	_, _ = fmt.Fprintf(out, "%d alerts, %d presses, %d restarts, %d lost\n", g.sent.Load(), pressed.acknowledged, restarts, len(lost)+v.violations)
	if len(lost)+v.violations > 0 {
		return errors.New("something was lost, or an invariant does not hold")
	}
	if pressed.acknowledged == 0 || restarts == 0 {
		return errors.New("nobody pressed, or nothing was replaced: that shows nothing")
	}
	return nil
}

// of is what began in the phase, the shortest first.
func (p phase) of(all []took) (some []time.Duration) {
	for _, t := range all {
		if !t.at.Before(p.from) && t.at.Before(p.to) {
			some = append(some, t.d)
		}
	}
	slices.Sort(some)
	return some
}

// at is what a share q does not exceed, in milliseconds.
func at(sorted []time.Duration, q float64) string {
	if len(sorted) == 0 {
		return "–"
	}
	i := max(int(math.Ceil(q*float64(len(sorted))))-1, 0)
	return fmt.Sprintf("%.1f", float64(sorted[i].Microseconds())/1000)
}

// readSent is the sender's log.
func readSent(path string) (all []rig.Line, err error) {
	f, err := os.Open(path) //nolint:gosec // our own log
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l rig.Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, l)
	}
	return all, lines.Err()
}

func answers(sent []rig.Line) (all []took) {
	for _, l := range sent {
		if l.Status == http.StatusAccepted && !l.Audit {
			all = append(all, took{l.T, time.Duration(l.MS * float64(time.Millisecond))})
		}
	}
	return all
}

// contained is from the first delivery of an alert, answered or not, to the first change of its key.
func contained(sent []rig.Line, world []sandbox.Entry) (all []took) {
	first := map[string]time.Time{}
	for _, e := range world {
		if _, seen := first[e.Key]; !seen && e.Effect == sandbox.EffectUndoable {
			first[e.Key] = e.T
		}
	}
	seen := map[string]bool{}
	for _, l := range sent {
		if touched, ok := first[l.Key]; ok && l.ID != "card" && !l.Audit && !seen[l.Key] {
			seen[l.Key] = true
			all = append(all, took{l.T, touched.Sub(l.T)})
		}
	}
	return all
}
