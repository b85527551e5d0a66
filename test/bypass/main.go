package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err) // there is nobody else to tell
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, talk io.Writer) error {
	flags := flag.NewFlagSet("bypass", flag.ContinueOnError)
	flags.SetOutput(talk)
	jsonFile := flags.String("json", "", "file for one JSON line per attempt")
	mutants := flags.Bool("mutants", false, "instead: ten builds, each without one check; every one must turn the run red")
	only := flags.String("only", "", "only attempts whose name or door holds this text")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bypass-build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if *mutants {
		program, err := buildMutant(ctx, dir)
		if err != nil {
			return err
		}
		return tryMutants(ctx, program, out)
	}
	program, err := build(ctx, dir, "tourniquet")
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(attempts(), func(a attempt) bool { return !strings.Contains(a.door+": "+a.name, *only) })
	b, err := besiege(ctx, program, list, talk)
	if err != nil {
		return err
	}
	if *jsonFile != "" {
		if err := b.lines(*jsonFile); err != nil {
			return err
		}
	}
	return errors.Join(b.table(out), b.faults())
}

// attempts is every way in that is tried, in the order in which they are.
func attempts() []attempt {
	return slices.Concat(wrongPeople(), wrongPapers(), slackDoors(), throughTemporal(), wrongTimes(), throughAlerts(), rogueWorkers())
}

// build compiles the product.
func build(ctx context.Context, dir, name string, flags ...string) (string, error) {
	top, err := top(ctx)
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-ldflags=-s -w", "-o", out}, flags...), "./cmd/tourniquet")...) //nolint:gosec // our own sources
	cmd.Dir = top
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the product does not build: %w\n%s", err, text)
	}
	return out, nil
}

// top is the folder of the module.
func top(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("this runs inside the module's folder: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// siege is what came out.
type siege struct {
	rows  []row
	bad   []error
	quick []time.Duration
}

// besiege makes every attempt against one house, and at the end looks once more how often each key was touched.
func besiege(ctx context.Context, program string, list []attempt, talk io.Writer, env ...string) (*siege, error) {
	h, err := openHouse(ctx, program, wants{keys: len(list) + 20, useWithin: 12 * time.Second, env: env})
	if err != nil {
		return nil, err
	}
	b := &siege{}
	var cases []*kase
	for turn, a := range list {
		started := time.Now()
		r, c, err := h.try(ctx, turn, a)
		mark := "ok  "
		if err != nil {
			mark = "FAIL"
			b.bad = append(b.bad, fmt.Errorf("%s: %s: %w", a.door, a.name, err))
		}
		_, _ = fmt.Fprintf(talk, "%s %5.1fs %-14s %s\n", mark, time.Since(started).Seconds(), a.door, a.name) // a word on the way
		b.rows = append(b.rows, r)
		if c != nil && err == nil {
			cases = append(cases, c)
		}
		if ctx.Err() != nil {
			break
		}
	}
	for _, c := range cases {
		if n := c.calls(); n != 1 {
			b.bad = append(b.bad, fmt.Errorf("the key %s was touched %d times in the end", c.key.ID, n))
		}
	}
	b.quick = h.quick
	if len(b.bad) > 0 {
		_, _ = fmt.Fprintf(talk, "%s\n", tail(h.said.String(), 4000))
	}
	return b, h.close()
}

func tail(s string, n int) string {
	if len(s) > n {
		return s[len(s)-n:]
	}
	return s
}

// finals is how many calls were made that people had not signed.
func (b *siege) finals() (n int) {
	for _, r := range b.rows {
		n += r.FinalCalls
	}
	return n
}

// table prints the attempts, how fast decisions became calls, and the last line.
func (b *siege) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "DOOR\tATTEMPT\tREFUSAL\tLEDGER\tFINAL CALLS") // Flush says what went wrong
	for _, r := range b.rows {
		at := "-"
		if r.LedgerSeq > 0 {
			at = fmt.Sprint(r.LedgerSeq)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", r.Door, r.Attempt, r.Code, at, r.FinalCalls)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(b.quick); n > 0 {
		slices.Sort(b.quick)
		if _, err := fmt.Fprintf(out, "\nlast decision to call: p50 %d ms, p95 %d ms, of %d legitimate ones (promised: p50 at most 100 ms)\n",
			b.quick[n/2].Milliseconds(), b.quick[n*95/100].Milliseconds(), n); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%d attempts, %d final calls\n", len(b.rows), b.finals())
	return err
}

// lines writes one JSON object per attempt.
func (b *siege) lines(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	for _, r := range b.rows {
		err = errors.Join(err, enc.Encode(r))
	}
	return errors.Join(err, f.Close())
}

func (b *siege) faults() error { return errors.Join(b.bad...) }
