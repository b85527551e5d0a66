package workflows_test

import (
	sdkinterceptor "go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// firstRun gives the run an original run id, which the test environment leaves empty.
type firstRun struct {
	sdkinterceptor.WorkerInterceptorBase
	reset bool
	house *house
}

func (f *firstRun) InterceptWorkflow(_ workflow.Context, next sdkinterceptor.WorkflowInboundInterceptor) sdkinterceptor.WorkflowInboundInterceptor {
	return &inbound{WorkflowInboundInterceptorBase: sdkinterceptor.WorkflowInboundInterceptorBase{Next: next}, reset: f.reset, house: f.house}
}

type inbound struct {
	sdkinterceptor.WorkflowInboundInterceptorBase
	reset bool
	house *house
}

func (i *inbound) Init(out sdkinterceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{WorkflowOutboundInterceptorBase: sdkinterceptor.WorkflowOutboundInterceptorBase{Next: out}, reset: i.reset, house: i.house})
}

type outbound struct {
	sdkinterceptor.WorkflowOutboundInterceptorBase
	reset bool
	house *house
}

func (o *outbound) GetInfo(ctx workflow.Context) *workflow.Info {
	info := *o.Next.GetInfo(ctx)
	info.OriginalRunID = info.WorkflowExecution.RunID
	if o.reset {
		info.OriginalRunID = "the run before the reset"
	}
	return &info
}

// ExecuteActivity counts what the run asks of the house without waiting for it.
func (o *outbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.house.expect(name)
	return o.Next.ExecuteActivity(ctx, name, args...)
}
