package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// observeSigned shows what a signed step would ask for; in mode observe nobody is asked.
func (r *run) observeSigned(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	inner := s.in(s.path)
	p := planner{run: r, now: workflow.Now(ctx), made: map[string]string{}, frozen: map[string][]any{}}
	if err := p.step(inner, st); err != nil {
		return r.unevaluable(ctx, s, st, err)
	}
	return r.observeCalls(ctx, s, st, p.calls)
}

// observeCalls dry-runs calls, writes down and tells what they would do, and does nothing.
func (r *run) observeCalls(ctx workflow.Context, s *scope, st *playbooks.Step, calls []wire.Planned) *halt {
	now := workflow.Now(ctx)
	r.background(ctx, wire.Preview, wire.PreviewAsk{Run: r.in.Run.ID, Step: s.at(st.ID), Calls: calls, Alert: r.in.Alert})
	s.settle(st.ID, statusPlanned, nil, now, now)
	r.status(ctx, s.at(st.ID), st.Title, statusPlanned, "mode observe: shown, not done")
	return nil
}
