package rehearse

import (
	"math"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// firstRun makes the test environment behave as the server does. It gives the run an original run id, which that
// environment leaves empty: the workflow takes a run whose original id differs for one that somebody reset.
type firstRun struct {
	interceptor.WorkerInterceptorBase
}

func (*firstRun) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *inbound) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{interceptor.WorkflowOutboundInterceptorBase{Next: out}})
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *outbound) GetInfo(ctx workflow.Context) *workflow.Info {
	info := *o.Next.GetInfo(ctx)
	info.OriginalRunID = info.WorkflowExecution.RunID
	return &info
}

// ExecuteActivity lets a call without a limit of attempts have none: the test environment would stop after ten.
func (o *outbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	opts := workflow.GetActivityOptions(ctx)
	if opts.RetryPolicy != nil && opts.RetryPolicy.MaximumAttempts == 0 {
		policy := *opts.RetryPolicy
		policy.MaximumAttempts = math.MaxInt32
		opts.RetryPolicy = &policy
		ctx = workflow.WithActivityOptions(ctx, opts)
	}
	return o.Next.ExecuteActivity(ctx, name, args...)
}
