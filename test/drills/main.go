package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	r := rounds{}
	flag.StringVar(&r.binary, "binary", "bin/tourniquet", "the program")
	flag.StringVar(&r.judge, "judge", "bin/judge", "what decides")
	flag.StringVar(&r.out, "out", "docs/drills.md", "the page to write")
	flag.StringVar(&r.only, "only", "", "scenarios, separated by commas; all when empty, and then the page is written")
	flag.DurationVar(&r.limit, "limit", 10*time.Minute, "for one drill")
	flag.Parse()
	if err := r.run(context.Background()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type rounds struct {
	binary, judge, out, only string
	limit                    time.Duration
}

type scenario struct {
	Name, Summary, Provider, Expected string
}

// drilled is what one drill told, and what the judge says of it.
type drilled struct {
	scenario
	Outcome string             `json:"outcome"`
	Seconds map[string]float64 `json:"seconds"`
	USD     map[string]float64 `json:"usd"`
	fault   error
}

func (r rounds) run(ctx context.Context) error {
	listed, err := exec.CommandContext(ctx, r.binary, "drill", "list", "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("%s drill list: %w", r.binary, err)
	}
	var all []scenario
	if err := json.Unmarshal(listed, &all); err != nil || len(all) == 0 {
		return fmt.Errorf("drill list names no scenario: %w", err)
	}
	dir, err := os.MkdirTemp("", "drills-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var done []drilled
	var faults []error
	for _, s := range all {
		if r.only != "" && !strings.Contains(","+r.only+",", ","+s.Name+",") {
			continue
		}
		d := r.drill(ctx, dir, s)
		verdict := "good"
		if d.fault != nil {
			verdict = d.fault.Error()
			faults = append(faults, fmt.Errorf("%s: %w", s.Name, d.fault))
		}
		_, _ = fmt.Printf("%-20s %-12s contained %-8s %s\n", s.Name, d.Outcome, d.after("alert_to_contained"), verdict)
		done = append(done, d)
	}
	if len(faults) == 0 && r.only == "" {
		return os.WriteFile(r.out, []byte(page(done)), 0o644) //nolint:gosec // a page for everybody
	}
	return errors.Join(faults...)
}

// drill makes one rehearsal and has it judged.
func (r rounds) drill(ctx context.Context, dir string, s scenario) drilled {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	d := drilled{scenario: s}
	world, told := filepath.Join(dir, s.Name+".jsonl"), filepath.Join(dir, s.Name+".json")
	var talk bytes.Buffer
	c := exec.CommandContext(ctx, r.binary, "drill", s.Name, "--approve", "auto", "-o", "json", "--world-log", world)
	c.Stderr = &talk
	body, err := c.Output()
	if err != nil {
		d.fault = fmt.Errorf("the drill ended with %w: %s", err, last(talk.String()))
		return d
	}
	if err := json.Unmarshal(body, &d); err != nil {
		d.fault = fmt.Errorf("its answer is not JSON: %w", err)
		return d
	}
	if err := os.WriteFile(told, body, 0o600); err != nil {
		d.fault = err
		return d
	}
	if out, err := exec.CommandContext(ctx, r.judge, "--world", world, "--drill", told).CombinedOutput(); err != nil {
		d.fault = fmt.Errorf("the judge disagrees: %s", failed(string(out)))
	} else if d.Outcome != s.Expected {
		d.fault = fmt.Errorf("it ended as %s, not as %s", d.Outcome, s.Expected)
	}
	return d
}

func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// failed are the judge's lines that do not say pass.
func failed(text string) string {
	var out []string
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		if !strings.HasPrefix(l, "pass") {
			out = append(out, strings.TrimSpace(l))
		}
	}
	return strings.Join(out, "; ")
}
