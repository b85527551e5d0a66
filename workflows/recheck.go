package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// recheck looks at the people once more before anything runs. While nobody can look, the seats stay filled and whoever
// may decide can still reject; what is not used in time lapses.
func (r *run) recheck(ctx workflow.Context, req *request) {
	e := req.view.Envelope
	ends := req.quorumAt.Add(time.Duration(e.UseWithin) * time.Second)
	ask := wire.Settle{Run: r.in.Run.ID, Request: req.view.Request, State: req.state, Decisions: req.decisions}
	for wait := time.Second; req.state == signoff.StateQuorum; wait = min(2*wait, 10*time.Second) {
		why, err := r.look(ctx, ask, wait == time.Second)
		switch {
		case ctx.Err() != nil:
			req.state, req.why = signoff.StateCancelled, "the run was cancelled"
		case req.state != signoff.StateQuorum: // somebody rejected meanwhile
		case err == nil && why == "":
			return
		case err == nil:
			req.state, req.why = signoff.StateVoided, why
		case !workflow.Now(ctx).Add(wait).Before(ends):
			_, cause := reason(err)
			req.state, req.why = signoff.StateLapsed, "the approval was not used in time: "+cause
		default:
			_, cause := reason(err)
			r.event(ctx, "signoff.waits", e.Step, map[string]any{"request": req.view.Request, "why": cause})
			r.flush(ctx, "waiting")
			_, _ = workflow.AwaitWithTimeout(ctx, wait, func() bool { return req.state != signoff.StateQuorum })
		}
	}
}

// look asks the house whether the people of a quorum may still decide; the first time without a durable transition.
func (r *run) look(ctx workflow.Context, ask wire.Settle, local bool) (why string, err error) {
	if local {
		lctx := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
			StartToCloseTimeout: localLimit, ScheduleToCloseTimeout: localLimit, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
		err = workflow.ExecuteLocalActivity(lctx, wire.RecheckSignoff, ask).Get(ctx, &why)
		return why, err
	}
	actx := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	err = workflow.ExecuteActivity(actx, wire.RecheckSignoff, ask).Get(ctx, &why)
	return why, err
}
