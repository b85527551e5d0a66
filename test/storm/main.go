package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if len(os.Args) == 4 && os.Args[1] == rig.EngineArg {
		err = rig.RunEngine(ctx, os.Args[2], os.Args[3])
	} else {
		err = storm(ctx, os.Args[1:])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "storm:", err)
		os.Exit(1)
	}
}

// choices are the flags.
type choices struct {
	alerts, keys, clients int
	disturb               bool
	away, p99, limit      time.Duration
	binary, judge, keep   string
}

func storm(ctx context.Context, args []string) error {
	var c choices
	f := flag.NewFlagSet("storm", flag.ContinueOnError)
	f.IntVar(&c.alerts, "n", 10_000, "alerts")
	f.IntVar(&c.keys, "keys", 100, "keys that they are about")
	f.IntVar(&c.clients, "clients", 50, "clients that send at once")
	f.BoolVar(&c.disturb, "disturb", false, "kill serve in the middle, and stop the workflow engine for a while")
	f.DurationVar(&c.away, "away", time.Minute, "how long the workflow engine stays away")
	f.DurationVar(&c.p99, "p99", 0, "the judge's limit for 99 of 100 answers; 0: none")
	f.DurationVar(&c.limit, "limit", 10*time.Minute, "give up after this long")
	f.StringVar(&c.binary, "binary", "", "a tourniquet to use instead of building one")
	f.StringVar(&c.judge, "judge", "", "a judge to use instead of building one")
	f.StringVar(&c.keep, "keep", "", "keep data and logs in this folder")
	if err := f.Parse(args); err != nil {
		return err
	}
	if c.alerts < c.keys || c.keys < 1 || c.clients < 1 {
		return errors.New("at least one client, one key, and an alert for each key are wanted")
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	dir := c.keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "tourniquet-storm-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := c.build(ctx, dir); err != nil {
		return err
	}
	if err := rage(ctx, c, dir); err != nil {
		return err
	}
	return c.decide(ctx, dir)
}

// build makes the programs that were not given.
func (c *choices) build(ctx context.Context, dir string) error {
	for path, pkg := range map[*string]string{&c.binary: "cmd/tourniquet", &c.judge: "test/judge"} {
		if *path != "" {
			continue
		}
		say("building %s (minutes the first time, seconds later) …", pkg)
		*path = filepath.Join(dir, filepath.Base(pkg))
		build := exec.CommandContext(ctx, "go", "build", "-o", *path, "github.com/tourniquet-ir/tourniquet/"+pkg)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%s does not build: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

// decide asks the judge.
func (c choices) decide(ctx context.Context, dir string) error {
	judge := exec.CommandContext(ctx, c.judge, "--world", filepath.Join(dir, worldLog), "--sent", filepath.Join(dir, sentLog), //nolint:gosec // our own judge
		"--alerts", fmt.Sprint(c.alerts), "--keys", fmt.Sprint(c.keys), "--p99", c.p99.String())
	judge.Stdout, judge.Stderr = os.Stdout, os.Stderr
	if err := judge.Run(); err != nil {
		return fmt.Errorf("the judge is not content: %w", err)
	}
	return nil
}

// The two logs.
const (
	worldLog = "world.jsonl"
	sentLog  = "sent.jsonl"
)

// rage opens the world and the product, sends everything, and waits until all is settled.
func rage(ctx context.Context, c choices, dir string) error {
	w, err := openWorld(filepath.Join(dir, worldLog), c.keys)
	if err != nil {
		return err
	}
	defer w.close()
	h, err := newHouse(c, dir, w)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.open(ctx); err != nil {
		return err
	}
	s, err := newSender(c, h, w, filepath.Join(dir, sentLog))
	if err != nil {
		return err
	}
	say("%d alerts about %d keys from %d clients …", c.alerts, c.keys, c.clients)
	began := time.Now()
	if err := s.sendAll(ctx); err != nil {
		return errors.Join(err, h.LastWords())
	}
	say("all answered after %s", time.Since(began).Round(time.Millisecond))
	if err := s.settle(ctx); err != nil {
		return errors.Join(err, h.LastWords())
	}
	s.calm(ctx)
	say("all settled after %s; sending everything once more …", time.Since(began).Round(time.Millisecond))
	if err := s.audit(ctx); err != nil {
		return errors.Join(err, h.LastWords())
	}
	return errors.Join(s.Close(), w.finish())
}

// say talks on stderr: stdout is for the answer.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
