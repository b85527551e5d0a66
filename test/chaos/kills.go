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
	if err := g.tally.add(g.trace(g.lives), "", false, g.member.name); err != nil {
		return err
	}
	for g.tally.kills < kills || len(g.tally.cuts) < cuts {
		if g.tally.kills >= 3*kills {
			return nil // the last line says how few cuts there were
		}
		mark, n := g.next(g.member), 1+g.dice.IntN(4)
		if mark != "" && g.asked[mark] > 1 {
			n = 1 // this one is rare
		}
		if err := g.once(ctx, g.member, mark, n); err != nil {
			return err
		}
		if g.tally.kills%10 == 0 {
			say("%s: %d kills, %d cuts, %d runs under way, %d ended", g.name, g.tally.kills, len(g.tally.cuts), int(g.sent.Load())-len(g.tally.ended), len(g.tally.ended))
		}
	}
	return nil
}

// next picks a transition of a process that was tried the least; every third life ends at a random moment instead.
func (g *siege) next(m *member) string {
	list := g.tally.untried(m.name)
	if g.tally.kills%3 == 2 || len(list) == 0 {
		return ""
	}
	g.dice.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	mark := slices.MinFunc(list, func(a, b string) int { return g.asked[a] - g.asked[b] })
	g.asked[mark]++
	return mark
}

// once is one life: a process dies at the n-th transition of its kind, or after a while by our hand.
func (g *siege) once(ctx context.Context, m *member, mark string, n int) error {
	err := m.live(ctx, mark, n)
	switch {
	case err == nil:
		life := time.NewTimer(1200*time.Millisecond + g.moment(2800))
		defer life.Stop()
		select {
		case <-m.Done():
		case <-life.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	case mark == "" || !errors.Is(err, rig.ErrEnded):
		return err
	}
	bySelf := ended(m.Done())
	if bySelf && mark == "" {
		return errors.Join(errors.New("serve ended although nobody killed it"), m.LastWords())
	}
	m.Kill()
	return g.tally.add(m.trace(m.lives), mark, bySelf, m.name)
}

func ended(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
