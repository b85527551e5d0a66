package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Statuses of a step.
const (
	statusDone     = "done"
	statusSkipped  = "skipped"
	statusDeclined = "declined"
	statusFailed   = "failed"
	statusStopped  = "stopped"
	statusPlanned  = "planned" // mode observe: shown, not done
)

// sequence walks steps in order.
func (r *run) sequence(ctx workflow.Context, s *scope, steps []playbooks.Step) *halt {
	for i := range steps {
		if s.status(steps[i].ID) == statusDone {
			continue // done under an earlier sign-off of the same group
		}
		if h := r.step(ctx, s, &steps[i]); h != nil {
			return h
		}
	}
	return nil
}

// step runs one step: its condition, then its sign-off, then the thing itself.
func (r *run) step(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	if ctx.Err() != nil {
		return &halt{incident.OutcomeCancelled, "cancelled"}
	}
	if st.If != "" {
		ok, err := playbooks.Eval(st.If, s.env(r), workflow.Now(ctx))
		if err != nil {
			return r.unevaluable(ctx, s, st, fmt.Errorf("its condition: %w", err))
		}
		if ok != true {
			return r.skip(ctx, s, st)
		}
	}
	if st.Signoff != nil && s.grant == nil {
		if r.in.Run.Mode != incident.ModeEnforce {
			return r.observeSigned(ctx, s, st)
		}
		return r.signed(ctx, s, st, *st.Signoff)
	}
	return r.perform(ctx, s, st)
}

// perform runs a step whose condition and sign-off are settled.
func (r *run) perform(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	started := workflow.Now(ctx)
	var h *halt
	switch st.Kind {
	case playbooks.KindAction:
		return r.action(ctx, s, st)
	case playbooks.KindGroup:
		h = r.sequence(ctx, s.in(s.at(st.ID)), st.Steps)
	case playbooks.KindParallel:
		h = r.parallel(ctx, s.in(s.at(st.ID)), st.Steps)
	case playbooks.KindLoop:
		return r.loop(ctx, s, st)
	case playbooks.KindAsk:
		return r.ask(ctx, s, st)
	case playbooks.KindWait:
		h = r.pause(ctx, st.Wait.Std())
	case playbooks.KindPlaybook:
		return r.sub(ctx, s, st)
	case playbooks.KindEnd:
		return r.end(ctx, s, st)
	default:
		return &halt{incident.OutcomeFailed, fmt.Sprintf("step %q has the kind %q, which this version cannot run", st.ID, st.Kind)}
	}
	r.settleGroup(ctx, s, st, h, started)
	return h
}

// settleGroup writes down how a step without outputs ended.
func (r *run) settleGroup(ctx workflow.Context, s *scope, st *playbooks.Step, h *halt, started time.Time) {
	s.settle(st.ID, statusOf(h), nil, started, workflow.Now(ctx))
	r.ended(ctx, s.at(st.ID), st.Title, statusOf(h), whyOf(h), started)
}

func (r *run) skip(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	now := workflow.Now(ctx)
	s.settle(st.ID, statusSkipped, nil, now, now)
	r.status(ctx, s.at(st.ID), st.Title, statusSkipped, "its condition was false")
	return nil
}

// pause waits on the workflow's clock.
func (r *run) pause(ctx workflow.Context, d time.Duration) *halt {
	r.flush(ctx, "waiting")
	if err := workflow.Sleep(ctx, d); err != nil {
		return &halt{incident.OutcomeCancelled, "cancelled while it waited"}
	}
	return nil
}

// parallel runs branches side by side. No branch is cut off; when all have settled, any stop wins over failed.
func (r *run) parallel(ctx workflow.Context, s *scope, steps []playbooks.Step) *halt {
	results := make([]*halt, len(steps))
	wg := workflow.NewWaitGroup(ctx)
	for i := range steps {
		if s.status(steps[i].ID) == statusDone {
			continue
		}
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			results[i] = r.step(ctx, s, &steps[i])
		})
	}
	wg.Wait(ctx)
	return worst(results)
}

// worst is the halt that wins: cancelled, voided, lapsed, stopped, then anything else.
func worst(all []*halt) *halt {
	for _, outcome := range []string{incident.OutcomeCancelled, outcomeVoided, outcomeLapsed, incident.OutcomeStopped} {
		for _, h := range all {
			if h != nil && h.outcome == outcome {
				return h
			}
		}
	}
	for _, h := range all {
		if h != nil {
			return h
		}
	}
	return nil
}

// unevaluable is an expression that failed at run time: the step cannot be asked or run.
func (r *run) unevaluable(ctx workflow.Context, s *scope, st *playbooks.Step, err error) *halt {
	now := workflow.Now(ctx)
	if r.in.Run.Mode != incident.ModeEnforce {
		s.settle(st.ID, statusPlanned, nil, now, now)
		r.status(ctx, s.at(st.ID), st.Title, statusPlanned, "needs what mode observe does not make: "+err.Error())
		return nil
	}
	s.settle(st.ID, statusFailed, nil, now, now)
	r.status(ctx, s.at(st.ID), st.Title, statusFailed, err.Error())
	return &halt{incident.OutcomeFailed, fmt.Sprintf("step %q: %s", st.ID, err)}
}

// bind evaluates named values in file order.
func bind(with []playbooks.Binding, env map[string]any, now time.Time) (map[string]any, error) {
	out := map[string]any{}
	for _, b := range with {
		v, err := b.Value.Eval(env, now)
		if err != nil {
			return nil, fmt.Errorf("with.%s: %w", b.Name, err)
		}
		if out[b.Name], err = plain(v); err != nil {
			return nil, fmt.Errorf("with.%s: %w", b.Name, err)
		}
	}
	return out, nil
}

// plain gives a value the shape that it has after a journey: local activities take arguments as they are, and an action
// must see the same thing wherever it runs. It is also a copy, so that no action shares memory with the workflow.
func plain(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(raw, &out)
}
