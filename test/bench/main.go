package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == bareArg:
		err = runBare(ctx, os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == rig.EngineArg:
		err = rig.RunEngine(ctx, os.Args[2], os.Args[3])
	default:
		err = bench(ctx, os.Args[1:], os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// choices are the flags.
type choices struct {
	samples, rounds int
	output, binary  string
	idle            time.Duration
	limit           time.Duration
	keep            string
	parked, grown   int
	postgres, scale bool
	share           int
	record          bool
}

func bench(ctx context.Context, args []string, out io.Writer) error {
	var c choices
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&c.samples, "n", 1000, "alerts for each side, one at a time and 8 at once; a fifth of it at 32")
	f.IntVar(&c.rounds, "rounds", 4, "turns that the two sides take")
	f.StringVar(&c.output, "o", "table", "table or json")
	f.StringVar(&c.binary, "binary", "", "measure this tourniquet instead of building one")
	f.DurationVar(&c.idle, "idle", 10*time.Second, "how long idleness is measured; 0 leaves it out")
	f.DurationVar(&c.limit, "limit", 10*time.Minute, "give up after this long")
	f.StringVar(&c.keep, "keep", "", "keep data and logs in this folder")
	f.IntVar(&c.parked, "parked", 0, "also measure so many runs that wait for a sign-off (10000: about ten minutes)")
	f.IntVar(&c.grown, "grown", 0, "also measure so many runs with ten times as many closed ones in the database (300: about three minutes)")
	f.BoolVar(&c.postgres, "postgres", false, "also measure both sides with records and engine in a PostgreSQL (as long again)")
	f.BoolVar(&c.scale, "scale", false, "also measure one, two and four worker processes on PostgreSQL and an engine of its own, as the machine allows and with each slowed down (about three minutes)")
	f.IntVar(&c.share, "share", 5, "with -scale: percent of the time that a slowed worker may run")
	f.BoolVar(&c.record, "record", false, "add what came out to test/bench/history.jsonl")
	if err := f.Parse(args); err != nil {
		return err
	}
	if c.output != "table" && c.output != "json" || c.samples < 1 || c.rounds < 1 {
		return fmt.Errorf("-o is table or json, -n and -rounds are at least 1")
	}
	if c.share < 1 || c.share > 99 {
		return fmt.Errorf("-share is 1 to 99 percent")
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	dir, err := workDir(c.keep)
	if err != nil {
		return err
	}
	if c.keep == "" {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	rep, err := measure(ctx, c, dir)
	if err != nil {
		return err
	}
	if err := c.remember(ctx, rep); err != nil {
		return err
	}
	if c.output == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(rep)
	}
	return rep.table(out)
}

func workDir(keep string) (string, error) {
	if keep == "" {
		return os.MkdirTemp("", "tourniquet-bench-")
	}
	dir, err := filepath.Abs(keep)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	return dir, err
}

// measure opens the world and both sides and lets them take turns.
func measure(ctx context.Context, c choices, dir string) (*report, error) {
	w, err := openWorld(poolSize)
	if err != nil {
		return nil, err
	}
	defer w.close()
	say("building tourniquet (minutes the first time, seconds later) …")
	if c.binary == "" {
		if c.binary, err = buildProduct(ctx, dir); err != nil {
			return nil, err
		}
	}
	product, err := startProduct(ctx, c.binary, filepath.Join(dir, "product"), w, productConfig, playbook)
	if err != nil {
		return nil, err
	}
	defer product.stop()
	rep := newReport()
	say("rehearsing the shipped playbooks …")
	if rep.Rehearsal, err = rehearse(ctx, product.cmd.Path, dir); err != nil {
		return nil, err
	}
	if rep.LintMillis, err = lint(); err != nil {
		return nil, err
	}
	if c.idle > 0 {
		say("watching an idle serve for %s …", c.idle)
		if rep.Idle, err = product.idle(ctx, c.idle); err != nil {
			return nil, err
		}
	}
	bare, err := startBare(ctx, filepath.Join(dir, "bare"), w, "")
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	if err := turns(ctx, c, w, product, bare, rep); err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, product.lastWords(), bare.lastWords())
	}
	rep.AfterLoadMiB = product.residentMiB()
	if err := rep.sameCalls(); err != nil {
		return nil, err
	}
	product.stop() // what follows has the machine for itself
	bare.stop()
	err = measureMore(ctx, c, dir, w, rep)
	rep.concludeMore()
	return rep, err
}

// measureMore is what is only measured when somebody asks for it.
func measureMore(ctx context.Context, c choices, dir string, w *world, rep *report) (err error) {
	if c.postgres {
		if rep.Postgres, err = onPostgres(ctx, c, filepath.Join(dir, "postgres"), w); err != nil {
			return err
		}
	}
	if c.scale {
		if rep.Scale, err = scale(ctx, c, filepath.Join(dir, "scale"), w); err != nil {
			return err
		}
	}
	if c.grown > 0 {
		if rep.Growth, err = grow(ctx, c, filepath.Join(dir, "growth"), w); err != nil {
			return err
		}
	}
	if c.parked > 0 {
		rep.Parked, err = park(ctx, c, filepath.Join(dir, "parked"))
	}
	return err
}

func turns(ctx context.Context, c choices, w *world, product, bare *side, rep *report) error {
	for _, s := range []*side{product, bare} { // caches and connections are warm before anything counts
		if _, err := drive(ctx, w, s, 50, 8); err != nil {
			return fmt.Errorf("warming up %s: %w", s.name, err)
		}
	}
	for _, at := range []int{1, 8, 32} {
		samples := c.samples
		if at == 32 {
			samples = (c.samples + 4) / 5 // it is for runs per second, which settle sooner than a p99
		}
		for round := range c.rounds {
			say("%d at once, turn %d of %d …", at, round+1, c.rounds)
			n := samples*(round+1)/c.rounds - samples*round/c.rounds
			for _, s := range []*side{product, bare} {
				if n == 0 {
					continue
				}
				got, err := drive(ctx, w, s, n, at)
				if err != nil {
					return fmt.Errorf("%s with %d at once: %w", s.name, at, err)
				}
				rep.add(s.name, at, got)
			}
		}
	}
	return nil
}

// say talks on stderr: stdout is for the answer.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
