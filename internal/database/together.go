package database

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

const (
	mostTogether    = 64               // writes that share a transaction
	longestTogether = 10 * time.Second // and what they may take
)

// change is one write on its way into the database.
type change struct {
	do   func(context.Context, *txn) error
	err  error
	done chan struct{}
}

// together lets writes that come at the same time share one transaction: SQLite has one writer, and each commit waits for the
// disk, so they wait once for all of them. Each is a savepoint of its own: one that fails spoils no other. Whoever comes first
// writes for all that wait, in the order in which they came, and nobody is told that it is written before the flush.
type together struct {
	mu    sync.Mutex
	queue []*change
	turn  chan struct{} // held by whoever writes
}

func (t *together) put(ctx context.Context, c *change, commit func(context.Context, []*change)) error {
	t.mu.Lock()
	t.queue = append(t.queue, c)
	t.mu.Unlock()
	for {
		select {
		case <-c.done:
			return c.err
		case <-ctx.Done():
			if t.forget(c) {
				return ctx.Err()
			}
			<-c.done // somebody writes it in this very moment, and that ends
			return c.err
		case t.turn <- struct{}{}:
			if batch := t.next(); len(batch) > 0 { // not of this caller alone, so its patience does not count
				own, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestTogether)
				commit(own, batch)
				cancel()
			}
			<-t.turn
		}
	}
}

func (t *together) next() []*change {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(len(t.queue), mostTogether)
	batch := slices.Clone(t.queue[:n])
	t.queue = slices.Delete(t.queue, 0, n)
	return batch
}

// forget takes a write back that nobody has begun.
func (t *together) forget(c *change) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.queue, c)
	if i >= 0 {
		t.queue = slices.Delete(t.queue, i, i+1)
	}
	return i >= 0
}

// commit writes a batch in one transaction that holds the write lock from its start.
func (d *DB) commit(ctx context.Context, batch []*change) {
	err := d.tryCommit(ctx, batch, lockCases) // SQLite knows no other lock than its own
	for _, c := range batch {
		if c.err == nil {
			c.err = err
		}
		close(c.done)
	}
}

func (d *DB) tryCommit(ctx context.Context, batch []*change, lock string) error {
	tx, err := d.writer.begin(ctx)
	if err != nil {
		return err
	}
	if d.dialect.postgres && lock != "" {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`, lock); err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	for _, c := range batch {
		if err := apart(ctx, tx, c, len(batch) == 1); err != nil {
			// The cause matters more than how the transaction ended; an unfinished one is rolled back either way.
			_ = tx.Rollback()
			return err
		}
	}
	return tx.Commit()
}

// apart makes one write of a transaction. What it says when it fails is its own affair (c.err), unless it was alone or cannot be
// taken out of what the others wrote: that is the error.
func apart(ctx context.Context, tx *txn, c *change, alone bool) error {
	if alone {
		c.err = c.try(ctx, tx)
		return c.err
	}
	if _, err := tx.ExecContext(ctx, `SAVEPOINT one`); err != nil {
		return err
	}
	if c.err = c.try(ctx, tx); c.err != nil {
		if _, err := tx.ExecContext(ctx, `ROLLBACK TO one`); err != nil {
			return fmt.Errorf("a write beside this one failed and could not be taken back: %w", err)
		}
	}
	_, err := tx.ExecContext(ctx, `RELEASE one`)
	return err
}

// try makes a panic the failure of the write that caused it: it must not end the writes of others, nor their turn.
func (c *change) try(ctx context.Context, tx *txn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("a defect in Tourniquet: " + fmt.Sprint(p) + "\n" + string(debug.Stack()))
		}
	}()
	return c.do(ctx, tx)
}
