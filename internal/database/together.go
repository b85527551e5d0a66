package database

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// mostTogether bounds how many findings share a transaction.
const mostTogether = 64

// storing is one finding on its way into the database.
type storing struct {
	finding string
	list    []Incoming
	out     []Stored
	err     error
	done    chan struct{}
}

// together lets findings that arrive at the same time share one transaction: a storm costs one flush of the disk for many of
// them. Whoever comes first stores for all that wait; nobody is told that it is stored before the flush.
type together struct {
	mu    sync.Mutex
	queue []*storing
	turn  chan struct{} // held by whoever stores
}

func (t *together) put(ctx context.Context, s *storing, store func(context.Context, []*storing)) ([]Stored, error) {
	t.mu.Lock()
	t.queue = append(t.queue, s)
	t.mu.Unlock()
	for {
		select {
		case <-s.done:
			return s.out, s.err
		case <-ctx.Done(): // it may still be stored; then its sender's next try is a duplicate
			return nil, fmt.Errorf("storing a finding: %w", ctx.Err())
		case t.turn <- struct{}{}:
			t.mu.Lock()
			n := min(len(t.queue), mostTogether)
			batch := t.queue[:n:n]
			t.queue = t.queue[n:]
			t.mu.Unlock()
			if n > 0 { // not of this caller alone, so its patience does not count
				own, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
				store(own, batch)
				cancel()
			}
			<-t.turn
		}
	}
}

// storeTogether stores a batch in one transaction; where that fails, each on its own, so that a bad one spoils no other.
func (d *DB) storeTogether(ctx context.Context, batch []*storing) {
	err := d.writeAs(ctx, true, "storing findings", func(tx *sql.Tx) error {
		for _, s := range batch {
			if err := d.storeFinding(ctx, tx, s); err != nil {
				return err
			}
		}
		return nil
	})
	for _, s := range batch {
		if s.err = err; err != nil && len(batch) > 1 {
			s.err = d.writeAs(ctx, true, fmt.Sprintf("storing a finding of source %q", s.list[0].Alert.Source), func(tx *sql.Tx) error { return d.storeFinding(ctx, tx, s) })
		}
		if s.err != nil {
			s.out = nil
		}
		close(s.done)
	}
}
