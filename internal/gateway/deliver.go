package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// deliver sends the update until it is answered. The person gets the answer if it comes in time, and otherwise that
// the decision is kept.
func (g *Gateway) deliver(ctx context.Context, a Act, workflowID, update string, arg any, d signoff.Decision) Reply {
	got := make(chan Reply, 1)
	var said atomic.Bool // that it is kept, or how it ended: the person hears one of them now
	g.offered.Store(d.Sig, true)
	g.late.Add(1)
	go func() {
		defer g.late.Done()
		bg, cancel := g.lasting(ctx)
		defer cancel()
		if r := g.send(bg, a, workflowID, update, arg, d); said.CompareAndSwap(false, true) {
			got <- r
		} else {
			g.afterwards(bg, a, r)
		}
	}()
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case r := <-got:
		return r
	case <-timer.C:
		if said.CompareAndSwap(false, true) {
			return Reply{Accepted: true, Text: "Your decision is written down and signed; it counts as soon as the run takes it."}
		}
		return <-got
	}
}

// afterwards tells somebody in chat how a press ended of which they only know that it was kept: it counts, or it does not.
func (g *Gateway) afterwards(ctx context.Context, a Act, r Reply) {
	p, known := g.People.Person(a.Person)
	if g.life.Err() != nil || g.Chat == nil || !known || p.Slack == "" {
		return // where the gateway ends, the decision waits on and nothing is known yet
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	title := "Your " + deedOf(a.Verb) + " counts"
	if !r.Accepted {
		title = "Your " + deedOf(a.Verb) + " does not count"
	}
	if _, err := g.Chat.Tell(ctx, chat.Note{Person: p.Slack, Title: title, Lines: []string{r.Text, "Request " + a.Request}}); err != nil {
		g.Log.Warn("how a kept decision ended could not be told", "request", a.Request, "person", p.ID, "error", err)
	}
}

// deedOf names what a person did.
func deedOf(verb string) string {
	switch verb {
	case signoff.Approve:
		return "approval"
	case signoff.Reject:
		return "rejection"
	}
	return "answer"
}

// send offers one update again and again: Temporal loses updates that were sent while no worker ran.
func (g *Gateway) send(ctx context.Context, a Act, workflowID, update string, arg any, d signoff.Decision) Reply {
	wait := 50 * time.Millisecond
	for {
		reply, err := g.offer(ctx, a, workflowID, update, arg)
		if err == nil {
			return g.taken(ctx, a, reply, d)
		}
		var app *temporal.ApplicationError
		if errors.As(err, &app) {
			return g.refuse(ctx, a, app.Type(), app.Message())
		}
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			g.void(ctx, a)
			return g.refuse(ctx, a, signoff.ClosedCode, "the run has ended")
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			g.Log.Warn("a decision waits for its run; it is offered again after a restart", "request", a.Request, "error", err)
			return Reply{Accepted: true, Text: "Your decision is kept and waits for the run."}
		case <-timer.C:
		}
		wait = min(wait*2, 5*time.Second)
	}
}

func (g *Gateway) offer(ctx context.Context, a Act, workflowID, update string, arg any) (wire.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var reply wire.Reply
	h, err := g.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: a.Request + "/" + a.Person + "/" + a.Verb, WorkflowID: workflowID, UpdateName: update,
		Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return reply, err
	}
	return reply, h.Get(ctx, &reply)
}

// taken keeps what the run made of a decision and brings every copy of the card up to date.
func (g *Gateway) taken(ctx context.Context, a Act, r wire.Reply, d signoff.Decision) Reply {
	if !r.Accepted {
		return g.refuse(ctx, a, r.Code, r.Why)
	}
	if a.Verb == wire.VerbAnswer {
		return Reply{Accepted: true, Text: fmt.Sprintf("Thank you, your answer is %q.", a.Answer)}
	}
	err := g.DB.SetRequest(ctx, a.Request, func(v *signoff.View) error {
		if !slices.ContainsFunc(v.Decided, func(o signoff.Decision) bool { return o.Sig == d.Sig }) {
			v.Decided = append(v.Decided, d)
		}
		if v.State == signoff.StateOpen {
			v.State = r.State
		}
		v.Filled, v.Seats = signoff.Seats(v.Envelope.Rule, v.Decided)
		return nil
	})
	if err != nil {
		g.Log.Error("a counted decision could not be shown", "request", a.Request, "error", err)
	}
	g.refresh(ctx, a.Request)
	if a.Verb == signoff.Reject {
		return Reply{Accepted: true, Text: "You rejected this. Nothing of it is done."}
	}
	return Reply{Accepted: true, Text: fmt.Sprintf("You approved this. %d of %d seats are filled.", r.Filled, r.Seats)}
}

// void closes a request whose run is gone without a word: somebody ended its workflow from outside.
func (g *Gateway) void(ctx context.Context, a Act) {
	const why = "its run has ended outside Tourniquet"
	run, closed := "", false
	err := g.DB.SetRequest(ctx, a.Request, func(v *signoff.View) error {
		run = v.Envelope.Run
		if closed = v.State == signoff.StateOpen || v.State == signoff.StateQuorum; closed {
			v.State, v.Otherwise = signoff.StateVoided, why
		}
		return nil
	})
	if err == nil && closed {
		err = g.DB.Append(ctx, run, database.Entry{ID: "settled/" + a.Request + "/" + signoff.StateVoided, Kind: "signoff.settled", Actor: "system", At: g.Now(),
			Body: map[string]any{"request": a.Request, "state": signoff.StateVoided, "why": why}})
		g.refresh(ctx, a.Request)
	}
	if err != nil && a.Verb != wire.VerbAnswer {
		g.Log.Error("a request whose run is gone could not be closed", "request", a.Request, "error", err)
	}
}

// refresh redraws every copy; chat that is away is no reason to lose a decision.
func (g *Gateway) refresh(ctx context.Context, request string) {
	g.late.Add(1)
	go func() {
		defer g.late.Done()
		bg, cancel := g.lasting(ctx)
		defer cancel()
		bg, late := context.WithTimeout(bg, 30*time.Second)
		defer late()
		if err := g.Cards.Refresh(bg, request); err != nil {
			g.Log.Warn("a card could not be brought up to date", "request", request, "error", err)
		}
	}()
}

// kept are the signed decisions on a request or a question that were written down to be sent.
func (g *Gateway) kept(ctx context.Context, request string) ([]signoff.Decision, error) {
	tries, err := g.DB.Attempts(ctx, request)
	if err != nil {
		return nil, err
	}
	var out []signoff.Decision
	for _, t := range tries {
		var d signoff.Decision
		if t.Accepted && len(t.Decision) > 0 && json.Unmarshal(t.Decision, &d) == nil {
			out = append(out, d)
		}
	}
	return out, nil
}
