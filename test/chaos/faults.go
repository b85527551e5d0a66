package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// fault is one way in which the world around serve breaks. begin breaks it, and its answer mends it.
type fault struct {
	name  string
	lasts time.Duration
	pair  string // that must be used while it is broken; "": serve must do something durable
	begin func(ctx context.Context, g *siege) (mend func(context.Context) error, err error)
}

// faults are all kinds.
func faults() []fault {
	return slices.Concat(poisons(), statuses(), slackMischief(), processFaults(), clockFaults(), diskFaults())
}

// toxic is one way to spoil a connection.
type toxic struct {
	word, kind string
	with       map[string]any
	streams    []string // nil: both
	pairs      []string // nil: every one
}

// poisons are slow, cut and half-open connections, between every pair.
func poisons() (list []fault) {
	for _, pair := range []string{toSlack, fromSlack, toGoogle, toGitHub, toEngine, toServe} {
		list = append(list, poisonsOf(pair)...)
	}
	return list
}

// poisonsOf are those of one pair.
func poisonsOf(pair string) (list []fault) {
	called := []string{toSlack, toGoogle, toGitHub, toEngine, toRecords, workersTo} // serve is the one that waits for an answer
	for _, t := range []toxic{
		{"slow", "latency", map[string]any{"latency": 400, "jitter": 300}, nil, nil},
		{"cut", "reset_peer", map[string]any{"timeout": 0}, nil, nil},
		{"half open", "timeout", map[string]any{"timeout": 0}, nil, nil},
		{"obeyed but never answered", "timeout", map[string]any{"timeout": 0}, []string{"downstream"}, called},
		{"cut in the middle of an answer", "limit_data", map[string]any{"bytes": 120}, []string{"downstream"}, called[:3]},
		{"a trickle", "bandwidth", map[string]any{"rate": 2}, []string{"downstream"}, called[:3]},
	} {
		if t.pairs != nil && !slices.Contains(t.pairs, pair) {
			continue
		}
		list = append(list, fault{pair + ": " + t.word, 2500 * time.Millisecond, pair, func(_ context.Context, g *siege) (func(context.Context) error, error) {
			cure, err := g.pairs.poison(pair, t.kind, t.with, t.streams...)
			return func(context.Context) error { return cure() }, err
		}})
	}
	return list
}

// statuses are providers that answer wrongly, or do what they are asked and do not say so.
func statuses() (list []fault) {
	for service, pair := range map[string]string{"apikeys": toGoogle, "github": toGitHub, "slack": toSlack} {
		for word, status := range map[string]int{
			"says 503": 503, "says 429": 429, "says 500": 500, "answers with a page": sandbox.FaultGarbage, "loses its answers": sandbox.FaultLost,
		} {
			list = append(list, fault{service + " " + word, 2 * time.Second, pair, func(_ context.Context, g *siege) (func(context.Context) error, error) {
				g.w.Fault(service, status, 10_000)
				return func(context.Context) error { g.w.Mend(service); return nil }, nil
			}})
		}
	}
	slices.SortFunc(list, func(a, b fault) int { return strings.Compare(a.name, b.name) })
	return list
}

// slackMischief is what becomes of taps on their way, and of the channel.
func slackMischief() (list []fault) {
	for word, m := range map[string]sandbox.SlackMischief{
		"taps come twice": {Deliveries: sandbox.DeliveryDuplicate, Times: 20}, "taps overtake each other": {Deliveries: sandbox.DeliveryReorder, Times: 10},
		"taps are not acknowledged": {Deliveries: sandbox.DeliveryDropAck, Times: 10}, "channel is archived": {Channel: "archived"},
	} {
		list = append(list, fault{"Slack: " + word, 2 * time.Second, fromSlack, func(_ context.Context, g *siege) (func(context.Context) error, error) {
			return func(context.Context) error { return g.w.slack.Misbehave(sandbox.SlackMischief{Channel: "usual"}) }, g.w.slack.Misbehave(m)
		}})
	}
	slices.SortFunc(list, func(a, b fault) int { return strings.Compare(a.name, b.name) })
	return list
}

// signaller is a process that can be stopped and let go on.
type signaller interface{ Signal(os.Signal) error }

func frozen(of func(*siege) signaller) func(context.Context, *siege) (func(context.Context) error, error) {
	return func(_ context.Context, g *siege) (func(context.Context) error, error) {
		return func(context.Context) error { return of(g).Signal(syscall.SIGCONT) }, of(g).Signal(syscall.SIGSTOP)
	}
}

// processFaults kill and freeze the processes themselves.
func processFaults() []fault {
	serve, engine := func(g *siege) signaller { return g.Serve }, func(g *siege) signaller { return g.cluster }
	return []fault{
		{"engine killed and away", 3 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			g.cluster.Kill()
			return g.cluster.Start, nil
		}},
		{"engine killed and back at once", 2 * time.Second, "", func(ctx context.Context, g *siege) (func(context.Context) error, error) {
			g.cluster.Kill()
			return func(context.Context) error { return nil }, g.cluster.Start(ctx)
		}},
		{"engine frozen", 3 * time.Second, "", frozen(engine)},
		{"serve frozen", 3 * time.Second, "", frozen(serve)},
		{"serve killed and away", 2 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			g.Kill()
			return func(ctx context.Context) error { return g.live(ctx, "", 0) }, nil
		}},
		{"serve and engine killed", 2 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			g.Kill()
			g.cluster.Kill()
			return func(ctx context.Context) error {
				if err := g.cluster.Start(ctx); err != nil {
					return err
				}
				return g.live(ctx, "", 0)
			}, nil
		}},
	}
}

// clockFaults make serve's clock jump. The engine's and the world's stay.
func clockFaults() (list []fault) {
	for _, by := range []time.Duration{10 * time.Minute, -10 * time.Minute, 90 * time.Second, -90 * time.Second} {
		list = append(list, fault{fmt.Sprintf("clock jumps by %s", by), 2 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) {
			return func(context.Context) error { return g.setClock(0) }, g.setClock(by)
		}})
	}
	return list
}

func (g *siege) setClock(ahead time.Duration) error {
	fresh := g.clock + ".new"
	if err := os.WriteFile(fresh, []byte(fmt.Sprint(ahead.Nanoseconds())), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, g.clock)
}

// diskFaults fill the disk of the records, and make it read-only.
func diskFaults() []fault {
	return []fault{
		{"disk full", 3 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) { return g.fill() }},
		{"disk read-only", 2 * time.Second, "", func(_ context.Context, g *siege) (func(context.Context) error, error) { return g.readOnly() }},
	}
}

// broken is the siege in which one fault after the other is played.
func (c choices) broken(ctx context.Context, dir string) (v verdict, err error) {
	v.name = "faults"
	list := c.chosenOf(faults())
	g, unmount, err := openOnDisk(ctx, v.name, dir, c, 8+4*len(list))
	if err != nil {
		return v, err
	}
	defer unmount()
	defer g.close()
	g.atOnce, g.pace = 6, 500*time.Millisecond
	at, stop := context.WithCancel(ctx)
	defer stop()
	if err := g.begin(at); err != nil {
		return v, err
	}
	if err := g.sufferAll(ctx, list, &v); err != nil {
		return v, err
	}
	close(g.enough)
	if err := g.settle(ctx, stop); err != nil {
		return v, err
	}
	return v, c.decide(ctx, dir, g, &v)
}

// sufferAll plays one fault after the other and notes which met somebody.
func (g *siege) sufferAll(ctx context.Context, list []fault, v *verdict) error {
	for i, f := range list {
		met, err := g.suffer(ctx, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if met {
			v.met = append(v.met, f.name)
		} else {
			v.fails = append(v.fails, f.name)
		}
		if i%10 == 9 {
			say("%s: %d faults, %d runs under way", g.name, i+1, int(g.sent.Load())-g.w.gone(int(g.sent.Load())))
		}
	}
	return nil
}

// chosenOf is as many of the list as are wanted, spread over all kinds.
func (c choices) chosenOf(list []fault) []fault {
	if c.faults == 0 || c.faults >= len(list) {
		return list
	}
	var some []fault
	for i := range c.faults {
		some = append(some, list[i*len(list)/c.faults])
	}
	return some
}

// suffer plays one fault for its time, and longer where nobody has met it yet; met says whether somebody did.
func (g *siege) suffer(ctx context.Context, f fault) (met bool, err error) {
	before := g.busy(f.pair)
	mend, err := f.begin(ctx, g)
	if err != nil {
		return false, err
	}
	began := time.Now()
	for since := time.Duration(0); since < f.lasts || !met && since < 4*f.lasts; since = time.Since(began) {
		if err := rig.Pause(ctx, 50*time.Millisecond); err != nil {
			return met, err
		}
		met = met || f.pair == "" || f.pair == toRecords || g.busy(f.pair) > before // the records are read every second
	}
	if err := mend(ctx); err != nil {
		return met, err
	}
	if g.crashed() { // a fault may end the process; an operator's supervisor starts it again
		say("%s: serve ended during %q and is started again", g.name, f.name)
		if err := g.live(ctx, "", 0); err != nil {
			return met, err
		}
	}
	return met, rig.Pause(ctx, 700*time.Millisecond)
}

func (g *siege) crashed() bool { return ended(g.Done()) }

// busy counts how often a pair has spoken.
func (g *siege) busy(pair string) int {
	switch pair {
	case toServe:
		return int(g.sent.Load()) + int(g.tries.Load())
	case fromSlack:
		return g.w.presses()
	}
	host, n := "", 0
	members, engine := g.members(), pair == toEngine || pair == workersTo
	if pair == workersTo {
		members = g.workers
	}
	if !engine && pair != "" {
		host = g.pairs.address(pair)
	}
	for _, m := range members {
		all, err := readTrace(m.trace(m.lives))
		if err != nil {
			continue // it has not begun to write one
		}
		for _, e := range all {
			if e.class == "talk" && e.what == host || engine && strings.HasPrefix(e.class, "temporal ") {
				n++
			}
		}
	}
	return n
}

// openOnDisk opens the siege of the faults with its records on a small disk of their own.
func openOnDisk(ctx context.Context, name, dir string, c choices, keys int) (g *siege, leave func(), err error) {
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		return nil, nil, err
	}
	unmount, err := mount(filepath.Join(dir, "data"))
	if err != nil {
		return nil, nil, err
	}
	if g, err = openSiege(ctx, name, plan{binary: c.binary, dir: dir, external: true}, keys, c.seed); err != nil {
		unmount()
	}
	return g, func() {
		if c.keep != "" { // what lies on the small disk goes with it
			_ = os.CopyFS(filepath.Join(dir, "data-kept"), os.DirFS(filepath.Join(dir, "data")))
		}
		unmount()
	}, err
}
