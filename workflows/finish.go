package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// undoSignoff marks the sign-off that asks for undos: it falls under policy.undo.
const undoSignoff = "undo"

// end is the step of that name. A false alarm first asks for the undo of what is in force, as one sign-off.
func (r *run) end(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	h := &halt{st.End, "the playbook ended here"}
	switch {
	case r.in.Run.Mode != incident.ModeEnforce:
		h = &halt{incident.OutcomeStopped, "mode observe"}
	case st.End == incident.OutcomeContained && !r.proven():
		h = &halt{incident.OutcomeFailed, "the playbook says contained, but no probe was refused or a final step is left undone"}
	case st.End == incident.OutcomeFalseAlarm:
		if undo := r.undo(ctx); undo != nil {
			h = undo
		}
	}
	now := workflow.Now(ctx)
	s.settle(st.ID, statusDone, nil, now, now)
	r.status(ctx, s.at(st.ID), st.Title, statusDone, h.outcome)
	return h
}

// undo takes back everything in force, newest first, under one sign-off. Rejected or expired leaves it in force.
func (r *run) undo(ctx workflow.Context) *halt {
	if len(r.inForce) == 0 {
		return nil
	}
	group := &playbooks.Step{ID: "undo", Title: "Take back what is in force", Kind: playbooks.KindGroup}
	for i := len(r.inForce) - 1; i >= 0; i-- {
		u := r.inForce[i]
		with := []playbooks.Binding{{Name: "step", Value: playbooks.Value{Kind: "lit", Lit: u.step}}}
		for _, name := range []string{"dependent", "key"} { // what was changed: a dependent, given a key, or a key
			if of, ok := u.with[name]; ok {
				with = append(with, playbooks.Binding{Name: name, Value: playbooks.Value{Kind: "lit", Lit: of}})
				break
			}
		}
		group.Steps = append(group.Steps, playbooks.Step{
			ID: fmt.Sprintf("undo_%d", len(r.inForce)-i), Title: "Take back " + u.step, Kind: playbooks.KindAction,
			Action: &playbooks.Action{Uses: u.undo, With: with, Effect: signoff.EffectFinal,
				Timeout: playbooks.Dur(2 * time.Minute), OnError: playbooks.OnErrorAsk},
		})
	}
	h := r.signed(ctx, r.root, group, playbooks.Signoff{
		Within: playbooks.Dur(4 * time.Hour), Otherwise: undoSignoff,
		Why: playbooks.Value{Kind: "lit", Lit: "A person decided that this was a false alarm"},
	})
	left := r.inForce[:0]
	for i, u := range r.inForce {
		if r.root.status(fmt.Sprintf("undo_%d", len(r.inForce)-i)) != statusDone {
			left = append(left, u)
		}
	}
	r.inForce = left
	return h
}

// proven reports whether the key is dead and nothing final was left undone.
func (r *run) proven() bool { return r.probe == "refused" && !r.undone }

// computed is the outcome of a run that ended with h.
func (r *run) computed(h *halt) string {
	switch {
	case h != nil:
		return h.outcome
	case r.in.Run.Mode != incident.ModeEnforce:
		return incident.OutcomeStopped
	case r.proven():
		return incident.OutcomeContained
	case r.declined:
		return incident.OutcomeStopped
	default:
		return incident.OutcomeFailed
	}
}

// finish runs what always runs, closes the incident and gives the outcome. It goes on when the run was cancelled.
func (r *run) finish(ctx workflow.Context, h *halt) (wire.Ended, error) {
	ended := wire.Ended{Outcome: r.computed(h), Why: whyOf(h)}
	if h == nil && ended.Outcome == incident.OutcomeFailed {
		ended.Why = "nothing proved that the provider refuses the key"
		if r.undone {
			ended.Why = "a final step was left undone"
		}
	}
	dctx, _ := workflow.NewDisconnectedContext(ctx)
	r.event(dctx, "run.outcome", "", map[string]any{"outcome": ended.Outcome, "why": ended.Why})
	r.flush(dctx, "running")
	r.outcome = ended.Outcome
	if ended.Outcome == incident.OutcomeFailed || ended.Outcome == incident.OutcomeStopped {
		r.tail(dctx, r.root, r.in.Program.OnFailure)
	}
	if ended.Outcome != incident.OutcomeJoined {
		r.tail(dctx, r.root, r.in.Program.Finally)
	}
	r.flush(dctx, "done")
	return ended, r.close(dctx, ended)
}

// tail runs on_failure and finally steps; their failure never changes the outcome.
func (r *run) tail(ctx workflow.Context, s *scope, steps []playbooks.Step) {
	for _, st := range lenient(steps) {
		r.step(ctx, s, &st)
	}
}

// lenient is a copy of steps, whatever they hold, that never parks: after the end nobody is left to wait for.
func lenient(steps []playbooks.Step) []playbooks.Step {
	out := make([]playbooks.Step, 0, len(steps))
	for _, st := range steps {
		if st.Action != nil {
			a := *st.Action
			a.OnError = playbooks.OnErrorContinue
			st.Action = &a
		}
		st.Steps = lenient(st.Steps)
		out = append(out, st)
	}
	return out
}

// close ends the run in our records; alerts that arrived meanwhile are taken in first.
func (r *run) close(ctx workflow.Context, ended wire.Ended) error {
	names := make([]string, 0, len(r.inForce))
	for _, u := range r.inForce {
		names = append(names, u.step)
	}
	for {
		var closed wire.Closed
		err := workflow.ExecuteActivity(r.patient(ctx), wire.CloseRun, wire.Close{
			Run: r.in.Run.ID, Incident: r.in.Run.Incident, Outcome: ended.Outcome, Why: ended.Why, InForce: names, At: workflow.Now(ctx),
		}).Get(ctx, &closed)
		if err != nil || !closed.Again {
			return err
		}
		if err := workflow.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}
