package workflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// maxAsks bounds how often one step is asked anew after its target or its people changed.
const maxAsks = 5

// request is one sign-off of this run.
type request struct {
	view      signoff.View
	state     string
	decisions []signoff.Decision
	quorumAt  time.Time
	why       string
	byPolicy  bool // nobody but policy wants people here
	raised    bool // voided because a later alert may have changed what policy says
	renewed   bool // voided because our records came out of a backup
}

// count takes a decision that was found good.
func (q *request) count(now time.Time, d signoff.Decision) wire.Reply {
	q.decisions = append(q.decisions, d)
	if d.Verb == signoff.Reject {
		q.state, q.why = signoff.StateRejected, d.Name+": "+d.Reason
	} else if signoff.Quorum(q.view.Envelope.Rule, q.decisions) {
		q.state, q.quorumAt = signoff.StateQuorum, now
		for _, c := range q.decisions { // clocks differ: a quorum is never older than what filled it
			if c.At.After(q.quorumAt) {
				q.quorumAt = c.At
			}
		}
	}
	filled, seats := signoff.Seats(q.view.Envelope.Rule, q.decisions)
	return wire.Reply{Accepted: true, State: q.state, Filled: filled, Seats: seats}
}

// signed asks people for a step and runs it with their grant. What drifted is asked anew, and only what is not done.
func (r *run) signed(ctx workflow.Context, s *scope, st *playbooks.Step, so playbooks.Signoff) *halt {
	again := ""
	for attempt := 1; attempt <= maxAsks; attempt++ {
		req, inner, h := r.prepare(ctx, s, st, so, attempt, again)
		if h != nil {
			return h
		}
		if req == nil { // nothing in it changes anything
			return r.perform(ctx, inner, st)
		}
		r.await(ctx, req, so)
		if req.raised {
			r.settle(ctx, req)
			if again = req.why; r.retriedAlone(ctx, s, st, attempt, &h) {
				return h
			}
			continue
		}
		if req.renewed {
			r.settle(ctx, req)
			again = req.why
			continue
		}
		if req.state == signoff.StateQuorum {
			r.recheck(ctx, req)
		}
		if req.state == signoff.StateQuorum {
			if h := r.granted(ctx, inner, st, req); req.state == signoff.StateDone || req.state == signoff.StateFailed {
				return h
			}
		}
		if req.quorumAt.IsZero() || req.state != signoff.StateVoided && req.state != signoff.StateLapsed {
			return r.unsigned(ctx, s, st, so, req)
		}
		r.event(ctx, "signoff."+req.state, inner.at(st.ID), map[string]any{"request": req.view.Request, "why": req.why})
		r.settle(ctx, req)
		again = req.why
	}
	return r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeStopped,
		fmt.Sprintf("%q was asked %d times and its target or its people changed each time", st.ID, maxAsks)})
}

// granted runs a step whose seats are filled. The request is done or failed afterwards, or voided or lapsed: then its
// calls that have not begun are asked anew.
func (r *run) granted(ctx workflow.Context, inner *scope, st *playbooks.Step, req *request) *halt {
	req.state = signoff.StateExecuting
	r.event(ctx, "signoff.executing", inner.at(st.ID), map[string]any{"request": req.view.Request})
	r.settle(ctx, req)
	inner.grant = &signoff.Grant{Request: req.view.Request, Envelope: req.view.Envelope, Decisions: req.decisions, QuorumAt: req.quorumAt}
	h := r.perform(ctx, inner, st)
	switch {
	case h == nil:
		req.state = signoff.StateDone
	case h.outcome == outcomeVoided:
		req.state, req.why = signoff.StateVoided, h.why
		return h
	case h.outcome == outcomeLapsed:
		req.state, req.why = signoff.StateLapsed, h.why
		return h
	default:
		req.state, req.why = signoff.StateFailed, h.why
	}
	r.settle(ctx, req)
	return h
}

// prepare resolves every call of the step, has them dry-run and frozen, and opens the request.
func (r *run) prepare(ctx workflow.Context, s *scope, st *playbooks.Step, so playbooks.Signoff, attempt int, again string) (*request, *scope, *halt) {
	inner := s.in(s.path)
	inner.frozen = map[string][]any{}
	p := planner{run: r, now: workflow.Now(ctx), made: map[string]string{}, frozen: inner.frozen}
	if err := p.step(inner, st); err != nil {
		return nil, nil, r.unevaluable(ctx, s, st, err)
	}
	if len(p.calls) == 0 {
		return nil, inner, nil
	}
	why, err := so.Why.Eval(s.env(r), p.now)
	if err != nil {
		return nil, nil, r.unevaluable(ctx, s, st, err)
	}
	ask := wire.Freeze{
		Run: r.in.Run.ID, Step: s.at(st.ID), Attempt: attempt, Title: title(st), Why: fmt.Sprint(why), Calls: p.calls,
		Seats: so.Seats, Undo: so.Otherwise == undoSignoff, Within: so.Within, Otherwise: otherwise(so), Again: again,
		Complete: playbooks.Dur(min(max(limit(s.at(st.ID), st, p.frozen), 5*time.Minute), maxComplete)),
		Place:    r.place(s.at(st.ID)), Alert: r.in.Alert, Key: r.key, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID,
		PublicKeys: r.in.PublicKeys, Escalate: so.Escalate,
	}
	for try := 1; ; try++ {
		ask.At = workflow.Now(ctx)
		var view signoff.View
		err := workflow.ExecuteActivity(r.patient(ctx), wire.FreezeSignoff, ask).Get(ctx, &view)
		if err == nil {
			return r.open(ctx, view), inner, nil
		}
		if ctx.Err() != nil {
			return nil, nil, &halt{incident.OutcomeCancelled, "cancelled while a sign-off was prepared"}
		}
		_, why := reason(err)
		if r.park(ctx, s, st, "The sign-off could not be prepared: "+why, try) != choiceRetry {
			return nil, nil, r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeStopped, why})
		}
	}
}

// open remembers a request and sends it to people, without waiting for the sending.
func (r *run) open(ctx workflow.Context, view signoff.View) *request {
	req := &request{view: view, state: signoff.StateOpen}
	digest, err := signoff.Digest(view.Envelope)
	switch {
	case err != nil, digest != view.Digest, len(view.Envelope.Rule.Seats) == 0:
		req.state, req.why = signoff.StateVoided, "the envelope does not match its digest"
	case view.Envelope.Run != r.in.Run.ID, !sameKeys(view.Envelope.PublicKeys, r.in.PublicKeys):
		req.state, req.why = signoff.StateVoided, "the envelope is not one of this run"
	}
	r.requests[view.Request] = req
	req.byPolicy = r.byPolicy[view.Envelope.Step]
	r.asks = append(r.asks, req)
	r.event(ctx, "signoff.asked", view.Envelope.Step, map[string]any{"request": view.Request, "digest": view.Digest})
	r.flush(ctx, "waiting")
	if req.state == signoff.StateOpen {
		r.background(ctx, wire.AskSignoff, wire.Settle{Run: r.in.Run.ID, Request: view.Request, State: signoff.StateOpen})
	}
	return req
}

// sameKeys compares through JSON, whose order is fixed: a workflow walks no map.
func sameKeys(a, b map[string]string) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func anyFinal(e signoff.Envelope) bool {
	return slices.ContainsFunc(e.Calls, func(c signoff.PlannedCall) bool { return c.Effect == signoff.EffectFinal })
}

// await blocks until people decided, time ran out or the run was cancelled. Time never approves.
func (r *run) await(ctx workflow.Context, req *request, so playbooks.Signoff) {
	expires := req.view.Envelope.Expires
	stop := r.escalate(ctx, req, so)
	r.wait(ctx, expires, func() bool { return req.state != signoff.StateOpen }, func() {
		r.background(ctx, wire.RemindSignoff, wire.Remind{Run: r.in.Run.ID, Request: req.view.Request, Why: "still waits for people"})
	})
	stop()
	if req.state == signoff.StateOpen {
		req.state, req.why = signoff.StateExpired, "nobody decided in time"
		if ctx.Err() != nil {
			req.state, req.why = signoff.StateCancelled, "the run was cancelled"
		}
	}
	r.event(ctx, "signoff."+req.state, req.view.Envelope.Step, map[string]any{"request": req.view.Request, "why": req.why})
	r.flush(ctx, "running")
}

// unsigned is a request that did not reach its quorum.
func (r *run) unsigned(ctx workflow.Context, s *scope, st *playbooks.Step, so playbooks.Signoff, req *request) *halt {
	r.settle(ctx, req)
	now := workflow.Now(ctx)
	if req.state == signoff.StateCancelled {
		return &halt{incident.OutcomeCancelled, "cancelled while a sign-off was open"}
	}
	if so.Otherwise == "skip" {
		r.declined, r.undone = true, r.undone || anyFinal(req.view.Envelope)
		s.settle(st.ID, statusDeclined, nil, now, now)
		r.status(ctx, s.at(st.ID), st.Title, statusDeclined, req.state+": "+req.why)
		return nil
	}
	return r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeStopped, fmt.Sprintf("sign-off for %q was %s: %s", title(st), req.state, req.why)})
}

// settle tells our records and every copy of the card.
func (r *run) settle(ctx workflow.Context, req *request) {
	r.background(ctx, wire.SettleSignoff, wire.Settle{
		Run: r.in.Run.ID, Request: req.view.Request, State: req.state, Why: req.why, Decisions: req.decisions,
	})
}

// defaultSignoff is the policy's, for an undoable step that policy does not automate.
func (r *run) defaultSignoff(st *playbooks.Step, why string) playbooks.Signoff {
	return playbooks.Signoff{
		Seats: r.defaultSeats(), Otherwise: "stop", Within: playbooks.Dur(time.Hour),
		Why: playbooks.Value{Kind: "lit", Lit: "Policy does not let this run by itself: " + why},
	}
}

// place says where in the playbook a step stands.
func (r *run) place(path string) string {
	top, _, _ := strings.Cut(path, "/")
	top, _, _ = strings.Cut(top, "[")
	for i := range r.in.Program.Steps {
		if r.in.Program.Steps[i].ID == top {
			return fmt.Sprintf("step %d of %d", i+1, len(r.in.Program.Steps))
		}
	}
	return "after the last step"
}

// maxComplete is the longest time that the calls of one sign-off may take together.
const maxComplete = 2 * time.Hour

// limit is the sum of the limits of everything that a step does; loops count their frozen items.
func limit(path string, st *playbooks.Step, frozen map[string][]any) time.Duration {
	total := time.Duration(0)
	if st.Action != nil {
		total = max(st.Action.Timeout.Std(), st.Action.Within.Std(), time.Minute)
	}
	at := []string{path}
	if st.Kind == playbooks.KindLoop {
		at = nil
		for i := range frozen[path] {
			at = append(at, fmt.Sprintf("%s[%d]", path, i))
		}
	}
	for _, place := range at {
		for i := range st.Steps {
			total += limit(place+"/"+st.Steps[i].ID, &st.Steps[i], frozen)
		}
	}
	return min(total, maxComplete) // a sum of many stays far from overflowing
}

func otherwise(so playbooks.Signoff) string {
	if so.Otherwise == "skip" {
		return "skip"
	}
	return "stop"
}
