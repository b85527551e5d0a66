package database

import (
	"context"
	"sync"
)

// urgentInARow is how often those who wait with an answer go before the others.
const urgentInARow = 4

// gate lets one transaction in at a time: SQLite has one writer. Whoever has a sender waiting for an answer goes before what runs
// write down, but not for ever; within each of the two, first come, first served.
type gate struct {
	mu     sync.Mutex
	busy   bool
	row    int // urgent ones since the last other
	urgent []chan struct{}
	other  []chan struct{}
}

// enter waits for its turn; leave gives it to the next.
func (g *gate) enter(ctx context.Context, urgent bool) error {
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	if urgent {
		g.urgent = append(g.urgent, mine)
	} else {
		g.other = append(g.other, mine)
	}
	g.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
		g.forget(mine)
		return ctx.Err()
	}
}

// forget takes one that gave up out of its queue; if its turn came in this very moment, it is handed on.
func (g *gate) forget(mine chan struct{}) {
	g.mu.Lock()
	for _, q := range []*[]chan struct{}{&g.urgent, &g.other} {
		for i, c := range *q {
			if c == mine {
				*q = append((*q)[:i:i], (*q)[i+1:]...)
				g.mu.Unlock()
				return
			}
		}
	}
	g.mu.Unlock()
	g.leave()
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := &g.other
	if len(g.urgent) > 0 && (len(g.other) == 0 || g.row < urgentInARow) {
		q = &g.urgent
		g.row++
	} else {
		g.row = 0
	}
	if len(*q) == 0 {
		g.busy = false
		return
	}
	next := (*q)[0]
	*q = (*q)[1:]
	close(next)
}
