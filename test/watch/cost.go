package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// cost measures what a sweep over many keys takes of one core, without the provider's own time: its answers come from memory, and
// everything behind them is the product's own, from the vendor's client that decodes them to the transaction on the disk.
func cost(ctx context.Context, n int) error {
	runtime.GOMAXPROCS(1)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "provider\tkeys\tcalls a poll\tanswer, kB\tCPU a poll, ms\tof it decoding\tof it our records\twall a poll, ms\tkept of a key, kB\tfirst look, ms")
	for _, p := range []string{"gemini", "openai"} {
		if err := costOf(ctx, w, p, n); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return w.Flush()
}

// desk is one installation with n keys of one account and a clock of its own.
type desk struct {
	*lookout.Lookout
	db       *database.DB
	provider keys.Provider
	book     *book
	now      time.Time
	key      incident.Key
}

func openDesk(ctx context.Context, dir, vendor string, n int) (*desk, error) {
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "ring.json"), rand.Reader)
	if err != nil {
		return nil, err
	}
	d := &desk{book: &book{}, now: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)}
	if d.db, err = database.Open(ctx, filepath.Join(dir, "tourniquet.db"), ring.Box()); err != nil {
		return nil, err
	}
	if d.provider, err = d.book.provider(vendor); err != nil {
		return nil, err
	}
	table, err := prices.New()
	if err != nil {
		return nil, err
	}
	var known []inventory.Entry
	for i := range n {
		known = append(known, inventory.Entry{Provider: vendor, Account: "main", ID: keyName(i)})
	}
	d.Lookout = lookout.New(lookout.Options{
		Records: d.db, Accounts: []lookout.Account{{Name: "main", Provider: d.provider}}, Known: known, Prices: table, Wake: func() {}, Blind: time.Hour,
		PerSec: 1e9, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now },
	})
	d.key = incident.Key{Provider: vendor, Account: "main", ID: keyName(0), UID: "uid"}
	return d, nil
}

func keyName(i int) string { return fmt.Sprintf("key_%06d", i) }

func costOf(ctx context.Context, w *tabwriter.Writer, vendor string, n int) error {
	dir, err := os.MkdirTemp("", "watch-cost-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d, err := openDesk(ctx, dir, vendor, n)
	if err != nil {
		return err
	}
	defer func() { _ = d.db.Close() }()
	first, kept, err := d.seed(ctx, n)
	if err != nil {
		return err
	}
	d.now = d.now.Add(5 * time.Minute)
	d.book.calls, d.book.bytes = 0, 0
	sweep, err := timed(func() error {
		out, err := d.Sweep(ctx, vendor, "main", func() {})
		if err == nil && (out.Polled != n || out.Alarms != 0) {
			err = fmt.Errorf("the sweep ended with %+v", out)
		}
		return err
	})
	if err != nil {
		return err
	}
	calls, bytes := d.book.calls/n, d.book.bytes/n
	decode, records, err := d.parts(ctx, min(n, 1000))
	if err != nil {
		return err
	}
	per := func(t time.Duration, n int) float64 { return t.Seconds() * 1000 / float64(n) }
	_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%.1f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%.0f\n", vendor, n, calls, float64(bytes)/1000, per(sweep.cpu, n), per(decode.cpu, min(n, 1000)),
		per(records.cpu, min(n, 1000)), per(sweep.wall, n), float64(kept)/1000, per(first.cpu, 1))
	return nil
}

// seed lets one key be met for the first time, with six weeks of past, and gives all others the same past.
func (d *desk) seed(ctx context.Context, n int) (first spent, kept int, err error) {
	known := d.Known
	d.Known = known[:1]
	first, err = timed(func() error { _, err := d.Sweep(ctx, known[0].Provider, "main", func() {}); return err })
	d.Known = known
	if err != nil {
		return first, 0, err
	}
	record, state, err := d.db.Watched(ctx, d.key.Target())
	if err != nil {
		return first, 0, err
	}
	for i := 1; i < n; i++ {
		if err := d.db.PutWatched(ctx, known[0].Provider+":main:"+keyName(i), record, state); err != nil {
			return first, 0, err
		}
	}
	return first, len(record) + len(state), nil
}

// parts measures two stages of a poll alone: the provider's answer, and reading and keeping what is known of a key.
func (d *desk) parts(ctx context.Context, n int) (decode, records spent, err error) {
	decode, err = timed(func() error {
		for range n {
			if _, err := d.provider.Usage(ctx, d.key, d.now.Add(-3*time.Hour), d.now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return decode, records, err
	}
	records, err = timed(func() error {
		for i := range n {
			name := d.key.Provider + ":main:" + keyName(i)
			record, state, err := d.db.Watched(ctx, name)
			if err != nil {
				return err
			}
			if err := d.db.PutWatched(ctx, name, record, state); err != nil {
				return err
			}
		}
		return nil
	})
	return decode, records, err
}

// spent is what something took.
type spent struct{ wall, cpu time.Duration }

func timed(do func() error) (spent, error) {
	began, used := time.Now(), cpu()
	err := do()
	return spent{time.Since(began), cpu() - used}, err
}

// cpu is what this process has used of all cores.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
