package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// action resolves the inputs of one call and makes it, until it is done or somebody decided what to do about it.
func (r *run) action(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	started := workflow.Now(ctx)
	with, err := bind(st.Action.With, s.env(r), started)
	if err != nil {
		return r.unevaluable(ctx, s, st, err)
	}
	changes := st.Action.Effect == signoff.EffectUndoable || st.Action.Effect == signoff.EffectFinal
	if changes && r.in.Run.Mode != incident.ModeEnforce {
		return r.observeCalls(ctx, s, st, []wire.Planned{{Step: s.at(st.ID), Action: st.Action.Uses, CardHash: st.Action.CardHash, With: with}})
	}
	if st.Action.Effect == signoff.EffectFinal && s.grant == nil { // lint refuses such a playbook; here it is not believed
		return r.refused(ctx, s, st, fmt.Sprintf("%s is final and no sign-off covers it, so it was not called", st.Action.Uses))
	}
	for attempt := 1; ; attempt++ {
		call := r.call(ctx, s, st, with, attempt)
		res, err := r.invoke(ctx, st.Action, call)
		if err == nil {
			return r.done(ctx, s, st, with, res, started)
		}
		again, h := r.onError(ctx, s, st, err, attempt)
		if !again {
			return h
		}
	}
}

func (r *run) call(ctx workflow.Context, s *scope, st *playbooks.Step, with map[string]any, attempt int) wire.Call {
	return wire.Call{
		Run: r.in.Run.ID, Incident: r.in.Run.Incident, Step: s.at(st.ID), Title: st.Title, Attempt: attempt,
		Action: st.Action.Uses, CardHash: st.Action.CardHash, With: with, Grant: s.grant, Until: st.Action.Until,
		Alert: r.in.Alert, At: workflow.Now(ctx),
	}
}

// done settles a step whose call came through.
func (r *run) done(ctx workflow.Context, s *scope, st *playbooks.Step, with map[string]any, res wire.Result, started time.Time) *halt {
	for _, name := range st.Action.Times {
		if text, ok := res.Outputs[name].(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
				res.Outputs[name] = at
			}
		}
	}
	if res.Outputs == nil {
		res.Outputs = map[string]any{}
	}
	s.settle(st.ID, statusDone, res.Outputs, started, workflow.Now(ctx))
	r.inForce = slices.DeleteFunc(r.inForce, func(u undoable) bool { return slices.Contains(res.UsedUp, u.step) })
	if res.Undo != "" {
		r.inForce = append(r.inForce, undoable{step: s.at(st.ID), undo: res.Undo, with: with})
	}
	if state, ok := res.Outputs["state"].(string); ok && strings.HasSuffix(st.Action.Uses, ".probe") {
		r.probe = state
	}
	return nil
}

// onError decides about a failed call: again, or the halt (nil: go on).
func (r *run) onError(ctx workflow.Context, s *scope, st *playbooks.Step, err error, attempt int) (again bool, h *halt) {
	kind, why := reason(err)
	switch {
	case ctx.Err() != nil || temporal.IsCanceledError(err):
		return false, r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeCancelled, "cancelled"})
	case kind == wire.ErrNeedsSignoff && s.grant == nil:
		r.byPolicy[s.at(st.ID)] = true
		return false, r.signed(ctx, s, st, r.defaultSignoff(st, why))
	case kind == wire.ErrDrifted && s.grant != nil:
		return false, &halt{outcomeVoided, why}
	case kind == wire.ErrLapsed && s.grant != nil:
		return false, &halt{outcomeLapsed, why}
	case kind == wire.ErrRefused:
		return false, r.refused(ctx, s, st, why)
	}
	switch st.Action.OnError {
	case playbooks.OnErrorContinue:
		return false, r.fail(ctx, s, st, statusFailed, nil, why)
	case playbooks.OnErrorStop:
		return false, r.fail(ctx, s, st, statusFailed, &halt{incident.OutcomeFailed, why})
	}
	if r.in.Run.Mode != incident.ModeEnforce { // mode observe holds nobody up: it shows what it could not read
		return false, r.fail(ctx, s, st, statusFailed, nil, why)
	}
	choice := r.park(ctx, s, st, why, attempt)
	if ctx.Err() != nil {
		return false, r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeCancelled, "cancelled while it was parked"})
	}
	switch choice {
	case choiceRetry:
		if s.grant != nil && st.Action.Effect != signoff.EffectObserve && st.Action.Effect != signoff.EffectNotify {
			return false, &halt{outcomeVoided, "a call of this sign-off failed, so what remains is asked anew"}
		}
		return true, nil
	case choiceSkip:
		return false, r.fail(ctx, s, st, statusFailed, nil, "skipped by a person: "+why)
	default:
		return false, r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeStopped, "a person chose Stop: " + why})
	}
}

// refused is a grant that the action did not accept: nothing was called; people are told and the run stops.
func (r *run) refused(ctx workflow.Context, s *scope, st *playbooks.Step, why string) *halt {
	r.event(ctx, "grant.refused", s.at(st.ID), map[string]any{"why": why})
	if s.grant != nil {
		return &halt{outcomeVoided, why}
	}
	return r.fail(ctx, s, st, statusFailed, &halt{incident.OutcomeFailed, why})
}

// fail settles a step that did not come through.
func (r *run) fail(ctx workflow.Context, s *scope, st *playbooks.Step, status string, h *halt, why ...string) *halt {
	now := workflow.Now(ctx)
	s.settle(st.ID, status, nil, now, now)
	text := whyOf(h)
	if len(why) > 0 {
		text = why[0]
	}
	r.status(ctx, s.at(st.ID), st.Title, status, text)
	if st.Action != nil && st.Action.Effect == signoff.EffectFinal {
		r.undone = true
	}
	return h
}

// kindTimeout is the kind of an error that is no answer.
const kindTimeout = "timeout"

// reason takes an error of a call apart: its type and the sentence a person can read.
func reason(err error) (kind, why string) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type(), app.Message()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return kindTimeout, fmt.Sprintf("no answer within its limit (%s)", timeout.TimeoutType())
	}
	return "", err.Error()
}
