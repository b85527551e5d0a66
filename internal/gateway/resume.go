package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

const (
	// lookEvery is how often a gateway looks for decisions that another one left behind, and leftBehind how old they are then: a
	// gateway that lives needs far less to bring one to its run.
	lookEvery  = 10 * time.Second
	leftBehind = 15 * time.Second
)

// Resume offers decisions and answers again that were written down by a process that died before the run took them.
func (g *Gateway) Resume(ctx context.Context) error { return g.resume(ctx, 0) }

// KeepResuming does the same for gateways that die beside this one, until ctx ends.
func (g *Gateway) KeepResuming(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := g.resume(ctx, leftBehind); err != nil && ctx.Err() == nil {
				g.Log.Warn("decisions that another process left behind could not be looked for", "error", err)
			}
		}
	}
}

func (g *Gateway) resume(ctx context.Context, age time.Duration) error {
	requests, questions, err := g.DB.Tried(ctx)
	if err != nil {
		return err
	}
	for _, id := range requests {
		v, err := g.DB.Request(ctx, id)
		if err != nil {
			return err
		}
		kept, err := g.kept(ctx, id)
		if err != nil {
			return err
		}
		for _, d := range kept {
			if !slices.ContainsFunc(v.Decided, func(o signoff.Decision) bool { return o.Sig == d.Sig }) {
				g.again(ctx, age, v.Envelope.WorkflowID, wire.UpdateDecide, wire.Decide{Request: v.Request, Decision: d}, d)
			}
		}
	}
	for _, id := range questions {
		if err := g.resumeAnswers(ctx, age, id); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gateway) resumeAnswers(ctx context.Context, age time.Duration, question string) error {
	kept, err := g.kept(ctx, question)
	if err != nil || len(kept) == 0 {
		return err
	}
	q, err := g.DB.Question(ctx, question)
	if err != nil {
		return err
	}
	run, err := g.DB.Run(ctx, q.Run)
	if err != nil {
		return err
	}
	for _, d := range kept {
		g.again(ctx, age, WorkflowID(run), wire.UpdateAnswer, wire.Answer{Question: q.ID, Decision: d}, d)
	}
	return nil
}

// again offers a decision once in the life of this gateway: what the run refused stays refused.
func (g *Gateway) again(ctx context.Context, age time.Duration, workflowID, update string, arg any, d signoff.Decision) {
	if g.Now().Sub(d.At) < age {
		return
	}
	if _, done := g.offered.LoadOrStore(d.Sig, true); done {
		return
	}
	a := Act{Person: d.Person, Surface: d.Surface, Request: d.Request, Verb: d.Verb, Digest: d.Digest, Reason: d.Reason}
	if d.Verb == wire.VerbAnswer {
		a.Answer = d.Reason
	}
	g.late.Add(1)
	go func() {
		defer g.late.Done()
		bg, cancel := g.lasting(ctx)
		defer cancel()
		g.afterwards(bg, a, g.send(bg, a, workflowID, update, arg, d))
	}()
}
