package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// sender is all clients together.
type sender struct {
	*rig.Sender
	c     choices
	h     *house
	w     *world
	acked atomic.Int64
	ids   []string // alert ids as first told, by number
}

func newSender(c choices, h *house, w *world, path string) (*sender, error) {
	s := &rig.Sender{URL: h.URL, Token: h.token, Account: "storm", Reading: h.reading}
	return &sender{Sender: s, c: c, h: h, w: w, ids: make([]string, c.alerts)}, s.Open(path, c.clients)
}

// each lets the clients share the numbers of all alerts.
func (s *sender) each(ctx context.Context, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range s.c.clients {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= s.c.alerts || ctx.Err() != nil {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// sendAll sends every alert until it is acknowledged; what disturbs runs beside it.
func (s *sender) sendAll(ctx context.Context) error {
	disturbed := make(chan error, 1)
	go func() { disturbed <- s.disturb(ctx) }()
	err := s.each(ctx, func(ctx context.Context, i int) error {
		for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
			l := s.post(ctx, i, false)
			if l.Status == http.StatusAccepted {
				s.ids[i] = l.AlertID
				s.acked.Add(1)
				return nil
			}
			if l.Status != 0 && l.Status != http.StatusServiceUnavailable {
				return fmt.Errorf("alert %s was answered %d", l.ID, l.Status)
			}
			if err := rig.Pause(ctx, wait); err != nil {
				return err
			}
		}
	})
	return errors.Join(err, <-disturbed)
}

// disturb kills serve when a third is acknowledged and the engine when half is, which stays away for a while.
func (s *sender) disturb(ctx context.Context) error {
	if !s.c.disturb {
		return nil
	}
	if err := s.until(ctx, s.c.alerts/3); err != nil {
		return err
	}
	say("serve is killed with %d acknowledged", s.acked.Load())
	s.h.Kill()
	if err := s.h.Start(ctx); err != nil {
		return err
	}
	if err := s.until(ctx, s.c.alerts/2); err != nil {
		return err
	}
	say("the workflow engine is killed with %d acknowledged; it stays away for %s", s.acked.Load(), s.c.away)
	s.h.cluster.Kill()
	if err := rig.Pause(ctx, s.c.away); err != nil {
		return err
	}
	say("the workflow engine comes back with %d acknowledged", s.acked.Load())
	return s.h.cluster.Start(ctx)
}

func (s *sender) until(ctx context.Context, acked int) error {
	for s.acked.Load() < int64(acked) {
		if err := rig.Pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// post sends alert number i once.
func (s *sender) post(ctx context.Context, i int, audit bool) rig.Line {
	return s.Post(ctx, fmt.Sprintf("storm-%06d", i), s.w.keys[i%len(s.w.keys)], audit)
}

// settle waits until every alert has a fate, and writes each down.
func (s *sender) settle(ctx context.Context) error {
	return s.each(ctx, func(ctx context.Context, i int) error {
		for {
			fate, err := s.Fate(ctx, s.ids[i])
			if err != nil {
				return err
			}
			if fate != "stored" {
				s.Write(rig.Line{ID: fmt.Sprintf("storm-%06d", i), Key: s.w.keys[i%len(s.w.keys)], AlertID: s.ids[i], Fate: fate})
				return nil
			}
			if err := rig.Pause(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		}
	})
}

// calm waits until the world has a ticket for every key: alerts are settled when their run is started, and the runs go on after
// that. It asks for no more than that, and it gives up: what is missing then is for the judge to name.
func (s *sender) calm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, longestCalm)
	defer cancel()
	for len(s.w.hub.Issues(owner, repo)) < len(s.w.keys) {
		if rig.Pause(ctx, 50*time.Millisecond) != nil {
			say("%d of %d keys have a ticket, and no more came for %s", len(s.w.hub.Issues(owner, repo)), len(s.w.keys), longestCalm)
			return
		}
	}
}

// longestCalm is how long runs may take that were started when the last alert was settled; what waits longest among the retries
// of one call waits less.
const longestCalm = time.Minute

// audit sends everything once more: what was kept is a duplicate.
func (s *sender) audit(ctx context.Context) error {
	return s.each(ctx, func(ctx context.Context, i int) error {
		for {
			l := s.post(ctx, i, true)
			if l.Status == http.StatusAccepted {
				return nil
			}
			if err := rig.Pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	})
}
