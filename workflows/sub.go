package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// sub runs an inlined playbook with its own vars, steps and sign-offs. Contained is done, anything else failed.
func (r *run) sub(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	started := workflow.Now(ctx)
	inputs, err := bind(st.With, s.env(r), started)
	if err != nil {
		return r.unevaluable(ctx, s, st, err)
	}
	inner := newScope(st.Sub)
	inner.path, inner.inputs = s.at(st.ID), inputs
	for _, v := range st.Sub.Vars {
		got, err := v.Value.Eval(inner.env(r), started)
		if err != nil {
			return r.unevaluable(ctx, s, st, err)
		}
		inner.vars[v.Name] = got
	}
	h := r.sequence(ctx, inner, st.Sub.Steps)
	outcome := r.computed(h)
	dctx, _ := workflow.NewDisconnectedContext(ctx)
	r.outcome = outcome
	if outcome == incident.OutcomeStopped || outcome == incident.OutcomeFailed {
		r.tail(dctx, inner, st.Sub.OnFailure)
	}
	r.tail(dctx, inner, st.Sub.Finally)
	r.outcome = ""
	status := statusDone
	switch {
	case r.in.Run.Mode != incident.ModeEnforce:
		status = statusPlanned
	case outcome != incident.OutcomeContained:
		status = statusFailed
	}
	s.settle(st.ID, status, map[string]any{"outcome": outcome}, started, workflow.Now(ctx))
	r.ended(ctx, s.at(st.ID), st.Title, status, outcome, started)
	return r.afterSub(s, st, status, outcome)
}

// afterSub is whether the run goes on. A playbook that reads how the sub-playbook ended deals with it; where nothing
// reads it, a stop or a failure in there is one out here, and nobody's no is passed over.
func (r *run) afterSub(s *scope, st *playbooks.Step, status, outcome string) *halt {
	h := &halt{incident.OutcomeFailed, fmt.Sprintf("sub-playbook %q ended as %s", st.ID, outcome)}
	switch {
	case outcome == incident.OutcomeCancelled:
		h.outcome = incident.OutcomeCancelled
		return h
	case status != statusFailed, reads(s.program.Steps, st.ID):
		return nil
	case outcome == incident.OutcomeStopped:
		h.outcome = incident.OutcomeStopped
	}
	return h
}

// reads reports whether any of the steps looks at the step of that id.
func reads(steps []playbooks.Step, id string) bool {
	for i := range steps {
		st := &steps[i]
		if strings.Contains(st.If, "steps."+id+".") || reads(st.Steps, id) {
			return true
		}
		for _, v := range values(st) {
			for _, ref := range v.Refs() {
				if ref.Step == id {
					return true
				}
			}
		}
	}
	return false
}

// values are everything that a step evaluates, but for its conditions.
func values(st *playbooks.Step) []playbooks.Value {
	var out []playbooks.Value
	with := st.With
	if st.Action != nil {
		with = st.Action.With
	}
	for _, b := range with {
		out = append(out, b.Value)
	}
	if st.Loop != nil {
		out = append(out, st.Loop.Over)
	}
	if st.Ask != nil {
		out = append(out, st.Ask.Prompt)
	}
	if st.Signoff != nil {
		out = append(out, st.Signoff.Why)
	}
	return out
}
