package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

const (
	fleetPace  = 400 * time.Millisecond // between two alerts
	fleetReady = time.Minute            // for a process that was started again
)

// roll is two processes with doors behind one address and two workers, on a PostgreSQL and an engine that is a process of its
// own, replaced one after the other while alerts come in and people press. It prints what was lost, and how long things took.
func (c choices) roll(ctx context.Context, dir string, out io.Writer) (err error) {
	if c.binary == "" {
		say("building the product (minutes the first time, seconds later) …")
		if c.binary, err = build(ctx, filepath.Join(dir, "tourniquet"), "cmd/tourniquet"); err != nil {
			return err
		}
	}
	dir = filepath.Join(dir, "fleet")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	keys := 50 + int((2*c.calm+time.Duration(c.rounds)*time.Minute)/fleetPace)
	g, err := openSiege(ctx, "fleet", plan{binary: c.binary, dir: dir, external: true, direct: true, apis: 2, workers: 2}, keys, c.seed)
	if err != nil {
		return err
	}
	defer g.close()
	g.atOnce, g.pace = 32, fleetPace
	at, stop := context.WithCancel(ctx)
	defer stop()
	if err := g.begin(at); err != nil {
		return err
	}
	phases, restarts, err := g.work(ctx, c)
	if err != nil {
		return err
	}
	close(g.enough)
	if err := g.settle(ctx, stop); err != nil {
		return err
	}
	v := verdict{name: "fleet"}
	if err := c.decide(ctx, dir, g, &v); err != nil {
		return err
	}
	return g.conclude(ctx, out, v, phases, restarts)
}

// work lets time pass undisturbed, replaces every process c.rounds times, and lets time pass again.
func (g *siege) work(ctx context.Context, c choices) (phases []phase, restarts int, err error) {
	if err := rig.Pause(ctx, 3*time.Second); err != nil { // caches and connections are warm before anything counts
		return nil, 0, err
	}
	for _, p := range []struct {
		name string
		do   func() error
	}{
		{"before", func() error { return rig.Pause(ctx, c.calm) }},
		{"during", func() error { restarts, err = g.replaceAll(ctx, c.rounds); return err }},
		{"after", func() error { return rig.Pause(ctx, c.calm) }},
	} {
		say("fleet: %s the restarts …", p.name)
		from := time.Now()
		if err := p.do(); err != nil {
			return nil, restarts, err
		}
		phases = append(phases, phase{p.name, from, time.Now()})
	}
	return phases, restarts, nil
}

// replaceAll replaces every process once in each round, the next one when the one before is ready. One of each round is not
// asked to close but killed.
func (g *siege) replaceAll(ctx context.Context, rounds int) (restarts int, err error) {
	all := g.members()
	for round := range rounds {
		for i, m := range all {
			if i == round%len(all) {
				m.Kill()
			} else if err := m.Close(ctx); err != nil {
				return restarts, fmt.Errorf("%s: %w", m.Dir, err)
			}
			if err := m.live(ctx, "", 0); err != nil {
				return restarts, fmt.Errorf("%s: %w", m.Dir, err)
			}
			restarts++
			if err := g.ready(ctx, m); err != nil {
				return restarts, err
			}
		}
	}
	return restarts, nil
}

// ready waits until a process says that it takes work.
func (g *siege) ready(ctx context.Context, m *member) error {
	for until := time.Now().Add(fleetReady); time.Now().Before(until); {
		if rig.Answers(ctx, m.URL+"/readyz") {
			return rig.Pause(ctx, g.moment(500))
		}
		if err := rig.Pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.Join(fmt.Errorf("%s is not ready %s after its restart", m.Dir, fleetReady), m.LastWords())
}
