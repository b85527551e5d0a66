package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// kill kills serve again and again: at every kind of transition that was seen, and at random moments, until there are enough
// kills and enough cuts.
func (g *siege) kill(ctx context.Context, kills, cuts int) error {
	if err := rig.Pause(ctx, 4*time.Second); err != nil { // the first life shows which transitions there are
		return err
	}
	g.Kill()
	if err := g.tally.add(g.trace(g.traces), "", false); err != nil {
		return err
	}
	asked := map[string]int{}
	for g.tally.kills < kills || len(g.tally.cuts) < cuts {
		if g.tally.kills >= 3*kills {
			return nil // the last line says how few cuts there were
		}
		mark, n := g.next(asked), 1+g.dice.IntN(4)
		if mark != "" && asked[mark] > 1 {
			n = 1 // this one is rare
		}
		if err := g.once(ctx, mark, n); err != nil {
			return err
		}
		if g.tally.kills%10 == 0 {
			say("%s: %d kills, %d cuts, %d runs under way, %d ended", g.name, g.tally.kills, len(g.tally.cuts), int(g.sent.Load())-len(g.tally.ended), len(g.tally.ended))
		}
	}
	return nil
}

// next picks a transition that was tried the least; every third life ends at a random moment instead.
func (g *siege) next(asked map[string]int) string {
	list := g.tally.untried()
	if g.tally.kills%3 == 2 || len(list) == 0 {
		return ""
	}
	g.dice.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	mark := slices.MinFunc(list, func(a, b string) int { return asked[a] - asked[b] })
	asked[mark]++
	return mark
}

// once is one life: serve dies at the n-th transition of its kind, or after a while by our hand.
func (g *siege) once(ctx context.Context, mark string, n int) error {
	err := g.live(ctx, mark, n)
	switch {
	case err == nil:
		life := time.NewTimer(time.Duration(1200+g.dice.IntN(2800)) * time.Millisecond)
		defer life.Stop()
		select {
		case <-g.Done():
		case <-life.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	case mark == "" || !errors.Is(err, rig.ErrEnded):
		return err
	}
	bySelf := ended(g.Done())
	if bySelf && mark == "" {
		return errors.Join(errors.New("serve ended although nobody killed it"), g.LastWords())
	}
	g.Kill()
	return g.tally.add(g.trace(g.traces), mark, bySelf)
}

func ended(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
