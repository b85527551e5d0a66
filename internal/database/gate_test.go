package database

import (
	"context"
	"sync"
	"testing"
	"time"
)

// waits returns when n wait at the gate.
func (g *gate) waits(t *testing.T, n int) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-look.C {
		g.mu.Lock()
		have := len(g.urgent) + len(g.other)
		g.mu.Unlock()
		if have == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d wait, %d are wanted", have, n)
		}
	}
}

func TestWhoHasSomebodyWaitingGoesFirstButNotForEver(t *testing.T) {
	t.Parallel()
	g := &gate{}
	ctx := context.Background()
	if err := g.enter(ctx, false); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	order := make(chan byte, 16)
	for i := range 9 {
		urgent := i >= 3
		all.Go(func() {
			if err := g.enter(ctx, urgent); err != nil {
				t.Error(err)
			}
			order <- map[bool]byte{true: 'u', false: 'o'}[urgent]
			g.leave()
		})
		g.waits(t, i+1)
	}
	g.leave()
	all.Wait()
	close(order)
	got := ""
	for c := range order {
		got += string(c)
	}
	if got != "uuuuouuoo" {
		t.Errorf("they went as %s", got)
	}
}

func TestWhoGivesUpBlocksNobody(t *testing.T) {
	t.Parallel()
	g := &gate{}
	if err := g.enter(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 50 { // some give up while they wait, some in the moment of their turn
		ctx, cancel := context.WithCancel(context.Background())
		all.Go(func() {
			if g.enter(ctx, i%2 == 0) == nil {
				g.leave()
			}
		})
		all.Go(func() {
			if i%3 == 0 {
				cancel()
			}
		})
		t.Cleanup(cancel)
	}
	g.leave()
	all.Wait()
	if err := g.enter(context.Background(), false); err != nil || len(g.urgent)+len(g.other) != 0 {
		t.Errorf("the gate stays shut: %v, %d wait", err, len(g.urgent)+len(g.other))
	}
}
