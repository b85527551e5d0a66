package database

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// open is a database whose secrets are not sealed.
func openPlain(t *testing.T) *DB {
	t.Helper()
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "db"), plain{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

type plain struct{}

func (plain) Seal(b []byte) ([]byte, error) { return b, nil }
func (plain) Open(b []byte) ([]byte, error) { return b, nil }
func (plain) KeyedHash(b []byte) string     { return string(b) }

// held keeps the writer's turn until all of n writes wait, so that they share a transaction.
func held(t *testing.T, d *DB, n int, write func(i int)) {
	t.Helper()
	d.writes.turn <- struct{}{}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { write(i) })
	}
	for waiting := 0; waiting < n; {
		d.writes.mu.Lock()
		waiting = len(d.writes.queue)
		d.writes.mu.Unlock()
	}
	<-d.writes.turn
	all.Wait()
}

func put(i int) func(context.Context, *txn) error {
	return func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, 'x')`, fmt.Sprint("n", i))
		return err
	}
}

func TestWritesThatShareATransactionFailEachForItself(t *testing.T) {
	t.Parallel()
	d := openPlain(t)
	errs := make([]error, 9)
	held(t, d, len(errs), func(i int) {
		errs[i] = d.write(t.Context(), fmt.Sprint("write ", i), lockCases, func(ctx context.Context, tx *txn) error {
			if err := put(i)(ctx, tx); err != nil || i%3 == 0 {
				return errors.Join(err, errors.New("a reason"))
			}
			if i == 4 {
				panic("a bug")
			}
			return nil
		})
	})
	for i, err := range errs {
		_, kept, _ := d.Setting(t.Context(), fmt.Sprint("n", i))
		switch {
		case i%3 == 0 || i == 4:
			if err == nil || kept || i != 4 && err.Error() != fmt.Sprintf("write %d: a reason", i) || i == 4 && !strings.Contains(err.Error(), "a defect in Tourniquet: a bug") {
				t.Errorf("write %d: kept %v, %v", i, kept, err)
			}
		case err != nil || !kept:
			t.Errorf("write %d: kept %v, %v", i, kept, err)
		}
	}
}

func TestNobodyIsToldThatItIsWrittenWhenTheTransactionIsNot(t *testing.T) {
	t.Parallel()
	d := openPlain(t)
	errs := make([]error, 5)
	held(t, d, len(errs), func(i int) {
		errs[i] = d.write(t.Context(), "w", lockCases, func(ctx context.Context, tx *txn) error {
			if err := put(i)(ctx, tx); err != nil || i != 2 {
				return err
			}
			_, err := tx.ExecContext(ctx, `ROLLBACK`) // as a full disk does
			return errors.Join(err, errors.New("the disk is full"))
		})
	})
	for i, err := range errs {
		if _, kept, _ := d.Setting(t.Context(), fmt.Sprint("n", i)); kept != (err == nil) {
			t.Errorf("write %d: kept %v, told %v", i, kept, err)
		}
	}
	if errs[2] == nil || !strings.Contains(errs[2].Error(), "the disk is full") {
		t.Errorf("who failed was told %v", errs[2])
	}
	if err := d.write(t.Context(), "next", lockCases, put(77)); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestWhoGivesUpWhileWaitingWritesNothingAndBlocksNobody(t *testing.T) {
	t.Parallel()
	d := openPlain(t)
	gone, cancel := context.WithCancel(t.Context())
	errs := make([]error, 6)
	d.writes.turn <- struct{}{}
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = gone
			}
			errs[i] = d.write(ctx, "w", lockCases, put(i))
		})
	}
	waits := func(n int) {
		for have := -1; have != n; {
			d.writes.mu.Lock()
			have = len(d.writes.queue)
			d.writes.mu.Unlock()
		}
	}
	waits(len(errs))
	cancel()
	waits(len(errs) / 2)
	<-d.writes.turn
	all.Wait()
	for i, err := range errs {
		if _, kept, _ := d.Setting(t.Context(), fmt.Sprint("n", i)); kept == (i%2 == 0) || kept != (err == nil) {
			t.Errorf("write %d: kept %v, told %v", i, kept, err)
		}
	}
}
