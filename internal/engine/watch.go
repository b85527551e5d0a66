package engine

import (
	"context"
	"errors"
	"slices"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Stray is what somebody sent to a run straight through Temporal and the run did not take.
type Stray struct {
	WorkflowID, RunID string
	Kind, Name        string // update or signal, and its name
	Code, Why         string
}

// Watch tells of updates that a run's validator refused and of signals that no run listens to: Temporal itself keeps no
// trace of the first and says nothing about the second. tell runs beside the workflow and may take its time.
func Watch(signals []string, tell func(context.Context, Stray)) interceptor.WorkerInterceptor {
	return &watch{signals: signals, tell: tell}
}

type watch struct {
	interceptor.WorkerInterceptorBase
	signals []string
	tell    func(context.Context, Stray)
}

func (w *watch) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &watched{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, watch: w}
}

type watched struct {
	interceptor.WorkflowInboundInterceptorBase
	watch *watch
}

func (w *watched) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	err := w.Next.ValidateUpdate(ctx, in)
	if err != nil && !workflow.IsReplaying(ctx) {
		s := Stray{Kind: "update", Name: in.Name, Why: err.Error()}
		var app *temporal.ApplicationError
		if errors.As(err, &app) {
			s.Code, s.Why = app.Type(), app.Message()
		}
		w.report(ctx, s)
	}
	return err
}

func (w *watched) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	if !slices.Contains(w.watch.signals, in.SignalName) && !workflow.IsReplaying(ctx) {
		w.report(ctx, Stray{Kind: "signal", Name: in.SignalName, Code: "unknown_signal", Why: "no run listens to a signal of this name"})
	}
	return w.Next.HandleSignal(ctx, in)
}

func (w *watched) report(ctx workflow.Context, s Stray) {
	at := workflow.GetInfo(ctx).WorkflowExecution
	s.WorkflowID, s.RunID = at.ID, at.RunID
	go w.watch.tell(context.Background(), s) //nolint:gosec // what is told outlives the task that heard it
}
