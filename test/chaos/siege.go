package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// siege is one house under torment, with those who send alerts to it and those who decide in it.
type siege struct {
	*house
	name    string
	s       *rig.Sender
	dice    *rand.Rand
	atOnce  int           // runs that are kept under way
	pace    time.Duration // between two new alerts
	sent    atomic.Int64  // alerts that were acknowledged
	tries   atomic.Int64  // deliveries that were tried
	enough  chan struct{} // closed when no more alerts are wanted
	ids     []string      // of alerts, as first told
	helpers sync.WaitGroup
	tally   tally
	asked   map[string]int // how often each transition was to be the last

	patience time.Duration // how long everything may take to settle when nothing is broken any more
}

// The two logs of a siege.
const (
	worldLog = "world.jsonl"
	sentLog  = "sent.jsonl"
)

// openSiege sets the world and the house up. Whoever calls it closes it.
func openSiege(ctx context.Context, name string, p plan, keys int, seed uint64) (*siege, error) {
	w, err := openWorld(filepath.Join(p.dir, worldLog), keys)
	if err != nil {
		return nil, err
	}
	h, err := newHouse(ctx, p, w)
	if err != nil {
		w.close()
		return nil, err
	}
	g := &siege{house: h, name: name, dice: rand.New(rand.NewPCG(seed, 0)), enough: make(chan struct{}), tally: newTally(), asked: map[string]int{}, patience: patience, //nolint:gosec // a repeatable order, no secret
		s: &rig.Sender{URL: h.URL, Token: h.token, Account: "chaos"}}
	if p.external {
		g.s.URL = h.pairs.url(toServe)
	}
	return g, g.s.Open(filepath.Join(p.dir, sentLog), 8)
}

// begin starts engine and serve for the first time and lets the people and the sender go to work.
func (g *siege) begin(ctx context.Context) (err error) {
	if g.cluster != nil {
		if err := g.cluster.Start(ctx); err != nil {
			return err
		}
	}
	for _, m := range g.members() {
		if err := m.live(ctx, "", 0); err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
	}
	if g.s.Reading, err = g.Token(ctx); err != nil {
		return err
	}
	for _, work := range []func(context.Context){g.w.decide, func(ctx context.Context) { g.w.read(ctx, g.s) }, g.feed} {
		g.helpers.Go(func() { work(ctx) })
	}
	return nil
}

// feed keeps some runs under way until enough is closed or there are no keys left.
func (g *siege) feed(ctx context.Context) {
	for i := range g.w.keys {
		for i-g.w.gone(i) >= g.atOnce {
			select {
			case <-g.enough:
				return
			default:
			}
			if rig.Pause(ctx, 20*time.Millisecond) != nil {
				return
			}
		}
		select {
		case <-g.enough:
			return
		default:
		}
		if err := g.send(ctx, i); err != nil || rig.Pause(ctx, g.pace) != nil {
			return
		}
	}
}

// send sends alert number i until it is acknowledged.
func (g *siege) send(ctx context.Context, i int) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		g.tries.Add(1)
		l := g.post(within, i, false)
		cancel()
		if l.Status == http.StatusAccepted {
			g.ids = append(g.ids, l.AlertID)
			g.sent.Add(1)
			return nil
		}
		if err := rig.Pause(ctx, wait); err != nil {
			return err
		}
	}
}

func (g *siege) post(ctx context.Context, i int, audit bool) rig.Line {
	return g.s.Post(ctx, fmt.Sprintf("chaos-%05d", i), g.w.keys[i], audit)
}

// The longest wait of the product, after everything failed at once, is the pause between two tries. What a mutant has lost does
// not come back, so nobody waits long for it.
const (
	patience       = 3 * time.Minute
	mutantPatience = 25 * time.Second
)

// settle waits, with nothing broken any more, until every run has ended, and writes down what became of each alert and run. Then
// everything is sent once more, and the ledgers are read.
func (g *siege) settle(ctx context.Context, stop context.CancelFunc) error {
	said := time.Now()
	n := int(g.sent.Load())
	within, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	for within.Err() == nil {
		open, err := g.open(within)
		if err == nil && open == 0 {
			break
		}
		if rig.Pause(within, 200*time.Millisecond) != nil {
			break // the judge names what is still open
		}
	}
	say("%s: %d alerts, settled after %s", g.name, n, time.Since(said).Round(time.Millisecond))
	if err := g.fates(ctx); err != nil {
		return errors.Join(err, g.LastWords())
	}
	for i := range n {
		for g.post(ctx, i, true).Status != http.StatusAccepted {
			if err := rig.Pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	stop()
	g.helpers.Wait()
	for _, m := range g.members() {
		m.Kill()
	}
	return errors.Join(g.ledgers(ctx), g.s.Close(), g.w.finish())
}

// run is what the list of runs says.
type run struct {
	ID, State, Outcome string
	Key                *struct{ ID string }
}

// runs are all runs of the house.
func (g *siege) runs(ctx context.Context) (all []run, err error) {
	for before := ""; ; {
		var page struct {
			Items []run
			Next  string
		}
		if _, err := g.s.Get(ctx, "/v1/runs?before="+before, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if before = page.Next; before == "" {
			return all, nil
		}
	}
}

// open is how many acknowledged alerts have no run that has ended.
func (g *siege) open(ctx context.Context) (int, error) {
	all, err := g.runs(ctx)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, r := range all {
		if r.State == "done" {
			done++
		}
	}
	return max(int(g.sent.Load())-done, len(all)-done), nil
}

// fates writes down what became of every alert and run.
func (g *siege) fates(ctx context.Context) error {
	for i, id := range g.ids {
		fate, err := g.s.Fate(ctx, id)
		if err != nil {
			return err
		}
		g.s.Write(rig.Line{ID: fmt.Sprintf("chaos-%05d", i), Key: g.w.keys[i], AlertID: id, Fate: fate})
		g.s.Write(rig.Line{ID: "secret", Key: g.w.keys[i], Secret: secretName(i)})
	}
	all, err := g.runs(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		l := rig.Line{ID: "run", Run: r.ID, State: r.State, Outcome: r.Outcome}
		if r.Key != nil {
			l.Key = r.Key.ID
		}
		g.s.Write(l)
	}
	return nil
}

func (g *siege) close() {
	g.house.close()
	g.w.close()
}
