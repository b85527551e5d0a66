package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if len(os.Args) == 4 && os.Args[1] == rig.EngineArg {
		err = rig.RunEngine(ctx, os.Args[2], os.Args[3])
	} else {
		err = chaos(ctx, os.Args[1:], os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// choices are the flags.
type choices struct {
	kills, cuts   int
	faults        int // in each siege; 0: all
	least         int // faults that must have met somebody
	rounds        int // of the cluster
	seed          uint64
	limit         time.Duration
	keep, mutant  string
	only          string // one siege
	binary, judge string
	calm          time.Duration
	mutants       bool
}

func (c *choices) parse(args []string) error {
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.IntVar(&c.kills, "kills", 60, "kills of serve at least")
	f.IntVar(&c.cuts, "cuts", 500, "cuts at least: a run, and the transition that was its last when its process died")
	f.IntVar(&c.faults, "faults", 0, "how many kinds of fault in each siege; 0: all")
	f.IntVar(&c.least, "least", 40, "faults at least that met somebody; those that met nobody are named and do not count")
	f.IntVar(&c.rounds, "rounds", 5, "how often each process of a cluster is killed; 0: no cluster")
	f.Uint64Var(&c.seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "of the order and the random moments") //nolint:gosec // never negative
	f.DurationVar(&c.limit, "limit", 40*time.Minute, "give up after this long")
	f.StringVar(&c.keep, "keep", "", "keep data and logs in this folder")
	f.StringVar(&c.only, "only", "", "one siege: kills, faults or cluster; fleet: processes replaced one after the other while people work")
	f.DurationVar(&c.calm, "calm", 30*time.Second, "with -only fleet: how long nothing is replaced, before and after")
	f.StringVar(&c.binary, "binary", "", "a product with the hook in it, in place of building one")
	f.StringVar(&c.judge, "judge", "", "a judge, in place of building one")
	f.StringVar(&c.mutant, "mutant", "", "with -mutants: only this one")
	f.BoolVar(&c.mutants, "mutants", false, "try builds that are deliberately not durable: each must turn the table red")
	return f.Parse(args)
}

// say talks on stderr: stdout is for the answer.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func chaos(ctx context.Context, args []string, out io.Writer) error {
	var c choices
	if err := c.parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	dir, err := c.folder()
	if err != nil {
		return err
	}
	if c.keep == "" {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	say("the seed is %d", c.seed)
	if c.judge == "" {
		if c.judge, err = build(ctx, filepath.Join(dir, "judge"), "test/judge"); err != nil {
			return err
		}
	}
	if c.mutants {
		return c.tryMutants(ctx, dir, out)
	}
	if c.only == "fleet" {
		return c.roll(ctx, dir, out)
	}
	if c.binary == "" {
		say("building the product with the hook in it (minutes the first time, seconds later) …")
		if c.binary, err = buildHooked(ctx, dir, ""); err != nil {
			return err
		}
	}
	return c.all(ctx, dir, out)
}

func (c choices) folder() (string, error) {
	if c.keep == "" {
		return os.MkdirTemp("", "tourniquet-chaos-")
	}
	return c.keep, os.MkdirAll(c.keep, 0o700)
}

// verdict is what came of a siege.
type verdict struct {
	name, table         string
	cuts, kills, others int
	transitions         int      // kinds at which a process killed itself
	met, fails          []string // faults that met somebody, and that did not
	violations          int
}

func (v *verdict) count(t *tally) {
	v.cuts, v.kills, v.others, v.transitions = len(t.cuts), t.kills, t.others, len(t.hit)
}

// tell prints a siege and its table.
func (v verdict) tell(out io.Writer) {
	if v.kills > 0 {
		_, _ = fmt.Fprintf(out, "%s: %d cuts by %d kills of serve, at %d kinds of transition and at random moments", v.name, v.cuts, v.kills, v.transitions)
		if v.others > 0 {
			_, _ = fmt.Fprintf(out, "; %d kills of engine and PostgreSQL", v.others)
		}
		_, _ = fmt.Fprintln(out)
	}
	if len(v.met) > 0 {
		_, _ = fmt.Fprintf(out, "%s: %d kinds of fault: %s\n", v.name, len(v.met), strings.Join(v.met, "; "))
	}
	if len(v.fails) > 0 {
		_, _ = fmt.Fprintf(out, "%s: met nobody and does not count: %s\n", v.name, strings.Join(v.fails, "; "))
	}
	_, _ = fmt.Fprintln(out, v.table)
}

// first is the first thing that does not hold.
func (v verdict) first() string {
	for line := range strings.Lines(v.table) {
		if !strings.HasPrefix(line, "pass") && !strings.HasPrefix(line, "FAIL") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// estimate is how long a siege takes where nothing else runs: what it is told to wait for, and the starts between.
func (c choices) estimate(siege string) time.Duration {
	const life, settle = 4500 * time.Millisecond, 20 * time.Second // of a process from its start to its kill; of all runs in the end
	faulty := func(list []fault) (d time.Duration) {
		for _, f := range c.chosenOf(list) {
			d += f.lasts + time.Second
		}
		return d
	}
	d := settle
	switch siege {
	case "kills":
		d += time.Duration(max(c.kills, c.cuts/8)) * life // a kill cuts about eight runs where none was cut before
	case "faults":
		d += faulty(faults())
	case "cluster":
		d += time.Duration(c.rounds)*6*life + faulty(clusterFaults())
	}
	return d.Round(10 * time.Second)
}

// all torments one house after the other and adds up.
func (c choices) all(ctx context.Context, dir string, out io.Writer) error {
	var sum verdict
	for _, siege := range []struct {
		name string
		lay  func(context.Context, string) (verdict, error)
	}{{"kills", c.killed}, {"faults", c.broken}, {"cluster", c.clustered}} {
		if c.only != "" && c.only != siege.name || siege.name == "cluster" && c.rounds == 0 {
			continue
		}
		say("%s: about %s on a quiet machine with two cores", siege.name, c.estimate(siege.name))
		began := time.Now()
		v, err := siege.lay(ctx, filepath.Join(dir, siege.name))
		if err != nil {
			return fmt.Errorf("%s: %w", siege.name, err)
		}
		say("%s: took %s", siege.name, time.Since(began).Round(time.Second))
		v.tell(out)
		sum.cuts, sum.kills, sum.violations = sum.cuts+v.cuts, sum.kills+v.kills, sum.violations+v.violations
		sum.met, sum.fails = append(sum.met, v.met...), append(sum.fails, v.fails...)
	}
	_, _ = fmt.Fprintf(out, "%d cuts, %d faults, %d violations\n", sum.cuts, len(sum.met), sum.violations)
	switch {
	case sum.violations > 0:
		return errors.New("an invariant does not hold")
	case sum.cuts < c.cuts || sum.kills < c.kills:
		return fmt.Errorf("%d cuts by %d kills are too few; %d by %d are wanted", sum.cuts, sum.kills, c.cuts, c.kills)
	case len(sum.met) < c.least:
		return fmt.Errorf("%d faults met somebody, %d are wanted", len(sum.met), c.least)
	}
	return nil
}

// killed is the siege in which serve is killed.
func (c choices) killed(ctx context.Context, dir string) (verdict, error) {
	v := verdict{name: "kills"}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return v, err
	}
	g, err := openSiege(ctx, v.name, plan{binary: c.binary, dir: dir, socket: true}, 4*c.kills, c.seed)
	if err != nil {
		return v, err
	}
	defer g.close()
	g.atOnce = 24
	at, stop := context.WithCancel(ctx)
	defer stop()
	if err := g.begin(at); err != nil {
		return v, err
	}
	if err := g.kill(ctx, c.kills, c.cuts); err != nil {
		return v, err
	}
	close(g.enough)
	if err := g.live(ctx, "", 0); err != nil {
		return v, err
	}
	if err := g.settle(ctx, stop); err != nil {
		return v, err
	}
	v.count(&g.tally)
	return v, c.decide(ctx, dir, g, &v)
}

// decide asks the judge. Each line below a failed check is one violation.
func (c choices) decide(ctx context.Context, dir string, g *siege, v *verdict) error {
	judge := exec.CommandContext(ctx, c.judge, "--chaos", "--world", filepath.Join(dir, worldLog), "--sent", filepath.Join(dir, sentLog), //nolint:gosec // our own judge
		"--alerts", fmt.Sprint(g.sent.Load()), "--keys", fmt.Sprint(g.sent.Load()))
	var table bytes.Buffer
	judge.Stdout, judge.Stderr = &table, os.Stderr
	err := judge.Run()
	v.table = table.String()
	for line := range strings.Lines(v.table) {
		if !strings.HasPrefix(line, "pass") && !strings.HasPrefix(line, "FAIL") {
			v.violations++
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && v.violations > 0 {
		return nil // that is the verdict
	}
	return err
}
