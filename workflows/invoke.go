package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Limits of placement, from design/speed.md: a local activity costs no durable transition of its own, but holds back
// what runs beside it, so it is tried once and briefly.
const (
	localLimit = 2 * time.Second
	heartbeat  = 5 * time.Second
	// finalTries bounds how often a call whose answer was lost is looked at again. The action reads the target first.
	finalTries = 6
)

// invoke makes one call where it belongs. A cancelled run waits for what was sent: a call that changes something is
// never cut off, because then nobody would know what is in force.
func (r *run) invoke(ctx workflow.Context, a *playbooks.Action, call wire.Call) (wire.Result, error) {
	if a.Effect == signoff.EffectFinal || call.Grant != nil && a.Effect == signoff.EffectUndoable {
		return r.invokeOnce(ctx, a, call)
	}
	opts := options(a)
	if a.Effect == signoff.EffectUndoable {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
	}
	if a.Local && a.Until == "" {
		began := workflow.Now(ctx)
		res, err := r.invokeLocal(ctx, call)
		if err == nil || decisive(err) || temporal.IsCanceledError(err) {
			return res, err
		}
		// The local limit is ours and no attempt of the author's; an answer that says no is one.
		if kind, _ := reason(err); kind != kindTimeout && !spend(ctx, opts.RetryPolicy) {
			return res, err
		}
		if opts.ScheduleToCloseTimeout > 0 {
			if opts.ScheduleToCloseTimeout -= workflow.Now(ctx).Sub(began); opts.ScheduleToCloseTimeout <= 0 {
				return res, err
			}
		}
	}
	var res wire.Result
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, opts), call.Action, call).Get(ctx, &res)
	return res, err
}

// spend takes one attempt off a policy and waits as long as the policy wants before the next; false: none is left.
func spend(ctx workflow.Context, p *temporal.RetryPolicy) bool {
	if p.MaximumAttempts == 1 || workflow.Sleep(ctx, p.InitialInterval) != nil {
		return false
	}
	if p.MaximumAttempts > 1 {
		p.MaximumAttempts--
	}
	p.InitialInterval = time.Duration(float64(p.InitialInterval) * p.BackoffCoefficient)
	if p.MaximumInterval > 0 {
		p.InitialInterval = min(p.InitialInterval, p.MaximumInterval)
	}
	return true
}

func (r *run) invokeLocal(ctx workflow.Context, call wire.Call) (wire.Result, error) {
	lctx := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: localLimit, ScheduleToCloseTimeout: localLimit,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var res wire.Result
	err := workflow.ExecuteLocalActivity(lctx, call.Action, call).Get(ctx, &res)
	return res, err
}

// invokeOnce makes a call under a grant: one attempt each time. When the answer is lost the same call row is looked at
// again; the action then reads the target before it sends anything.
func (r *run) invokeOnce(ctx workflow.Context, a *playbooks.Action, call wire.Call) (wire.Result, error) {
	opts := options(a)
	opts.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 1}
	opts.ScheduleToCloseTimeout = 0
	sent, _ := workflow.NewDisconnectedContext(ctx)
	began, wait := workflow.Now(ctx), time.Second
	for try := 1; ; try++ {
		var res wire.Result
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(sent, opts), call.Action, call).Get(sent, &res)
		if err == nil || decisive(err) || try == finalTries {
			return res, err
		}
		what := "call.outcome_unknown"
		kind, why := reason(err)
		if kind == wire.ErrWait {
			what = "call.waits"
			try-- // nothing was sent; the action itself says when the approval has lapsed
		}
		if a.Within > 0 && workflow.Now(ctx).Add(wait).Sub(began) >= a.Within.Std() {
			return res, err
		}
		r.event(ctx, what, call.Step, map[string]any{"try": try, "why": why})
		if err := workflow.Sleep(ctx, wait); err != nil {
			return res, err
		}
		wait = min(2*wait, 20*time.Second)
	}
}

// decisive errors are answers: trying again elsewhere changes nothing.
func decisive(err error) bool {
	kind, _ := reason(err)
	switch kind {
	case wire.ErrPermanent, wire.ErrNeedsSignoff, wire.ErrObserve, wire.ErrRefused, wire.ErrDrifted, wire.ErrLapsed, wire.ErrUnknown, wire.ErrAmbiguous:
		return true
	}
	return false
}

// options of an ordinary activity for this call.
func options(a *playbooks.Action) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		StartToCloseTimeout: a.Timeout.Std(), HeartbeatTimeout: heartbeat,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: a.Retry.First.Std(), BackoffCoefficient: a.Retry.Factor,
			MaximumInterval: a.Retry.Max.Std(), MaximumAttempts: int32(a.Retry.Attempts), //nolint:gosec // the language bounds attempts
		},
	}
	if o.StartToCloseTimeout <= 0 {
		o.StartToCloseTimeout = 30 * time.Second
	}
	if o.RetryPolicy.InitialInterval <= 0 {
		o.RetryPolicy.InitialInterval = time.Second
	}
	if o.RetryPolicy.BackoffCoefficient < 1 {
		o.RetryPolicy.BackoffCoefficient = 2
	}
	if o.RetryPolicy.MaximumInterval > 0 { // Temporal refuses a first interval above the largest
		o.RetryPolicy.InitialInterval = min(o.RetryPolicy.InitialInterval, o.RetryPolicy.MaximumInterval)
	}
	if a.Within > 0 {
		o.ScheduleToCloseTimeout = a.Within.Std()
	}
	if a.Until != "" {
		o.RetryPolicy = &temporal.RetryPolicy{InitialInterval: a.Every.Std(), BackoffCoefficient: 1, MaximumInterval: a.Every.Std()}
	}
	return o
}
