package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// clustered is the siege of several processes: an api and two workers on a PostgreSQL and an engine of their own, each of them
// killed in turn, and the faults that need a PostgreSQL.
func (c choices) clustered(ctx context.Context, dir string) (v verdict, err error) {
	v.name = "cluster"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return v, err
	}
	g, err := openSiege(ctx, v.name, plan{binary: c.binary, dir: dir, external: true, workers: 2}, 60+4*c.rounds, c.seed)
	if err != nil {
		return v, err
	}
	defer g.close()
	g.atOnce = 16
	at, stop := context.WithCancel(ctx)
	defer stop()
	if err := g.begin(at); err != nil {
		return v, err
	}
	if err := rig.Pause(ctx, 3*time.Second); err != nil { // shows which transitions there are
		return v, err
	}
	for round := range c.rounds {
		if err := g.round(ctx, round); err != nil {
			return v, err
		}
	}
	if err := g.sufferAll(ctx, c.chosenOf(clusterFaults()), &v); err != nil {
		return v, err
	}
	close(g.enough)
	if err := g.settle(ctx, stop); err != nil {
		return v, err
	}
	v.count(&g.tally)
	return v, c.decide(ctx, dir, g, &v)
}

// round kills one process after the other: a worker and the api at a transition, the other worker, the engine and PostgreSQL at
// some moment.
func (g *siege) round(ctx context.Context, n int) error {
	one, other := g.workers[n%2], g.workers[(n+1)%2]
	for _, m := range []*member{one, g.member, other} {
		mark := ""
		if m != other {
			mark = g.next(m)
		}
		if err := g.again(ctx, m, mark); err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
	}
	g.cluster.Kill()
	if err := errors.Join(rig.Pause(ctx, g.moment(1500)), g.cluster.Start(ctx), rig.Pause(ctx, g.moment(1500)), g.records.Kill()); err != nil {
		return err
	}
	g.tally.others += 2
	return errors.Join(rig.Pause(ctx, g.moment(1500)), g.records.Up(ctx), rig.Pause(ctx, g.moment(1500)))
}

// moment is a random time.
func (g *siege) moment(most int) time.Duration {
	return time.Duration(g.dice.IntN(most)) * time.Millisecond
}

// again lets a process that runs end: it is started anew with the order to die at its next transition of a kind, which is
// two kills, or killed at a random moment and started anew.
func (g *siege) again(ctx context.Context, m *member, mark string) error {
	if err := rig.Pause(ctx, g.moment(1500)); err != nil {
		return err
	}
	m.Kill()
	if err := g.tally.add(m.trace(m.lives), "", false, m.name); err != nil || mark == "" {
		return errors.Join(err, m.live(ctx, "", 0))
	}
	if err := g.once(ctx, m, mark, 1+g.dice.IntN(2)); err != nil {
		return err
	}
	return m.live(ctx, "", 0)
}

// clusterFaults are those of a PostgreSQL, and of processes that others go on without.
func clusterFaults() []fault {
	list := append(poisonsOf(toRecords), poisonsOf(workersTo)...)
	worker := func(g *siege) signaller { return g.workers[0] }
	return append(list,
		fault{"PostgreSQL killed and away", 3 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			return g.records.Up, g.records.Kill()
		}},
		fault{"one of two workers frozen", 3 * time.Second, "", frozen(worker)},
		fault{"both workers away", 3 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			for _, m := range g.workers {
				m.Kill()
			}
			return func(ctx context.Context) error {
				return errors.Join(g.workers[0].live(ctx, "", 0), g.workers[1].live(ctx, "", 0))
			}, nil
		}},
		fault{"api away, workers go on", 3 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			g.Kill()
			return func(ctx context.Context) error { return g.live(ctx, "", 0) }, nil
		}},
		fault{"a worker closes as it is asked to", 2 * time.Second, "", func(ctx context.Context, g *siege) (func(context.Context) error, error) {
			return func(ctx context.Context) error {
				select {
				case <-g.workers[1].Done():
				case <-time.After(30 * time.Second):
					return errors.New("the worker does not close")
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				return g.workers[1].live(ctx, "", 0)
			}, g.workers[1].Signal(syscall.SIGTERM)
		}},
	)
}
