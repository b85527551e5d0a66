package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// event remembers something for the ledger; flush writes it. Ids count, so that a repeat is harmless.
func (r *run) event(ctx workflow.Context, kind, step string, body map[string]any) {
	r.seq++
	raw, err := json.Marshal(body)
	if err != nil {
		raw = []byte(`{}`)
	}
	r.batch.Events = append(r.batch.Events, wire.Event{
		ID: fmt.Sprintf("%sw%06d", r.mark, r.seq), Kind: kind, Step: step, At: workflow.Now(ctx), Body: raw,
	})
}

// status remembers the status of a step that no action wrote down itself.
func (r *run) status(ctx workflow.Context, path, title, status, why string) {
	r.ended(ctx, path, title, status, why, workflow.Now(ctx))
}

// ended is status for a step that took its time.
func (r *run) ended(ctx workflow.Context, path, title, status, why string, from time.Time) {
	r.batch.Steps = append(r.batch.Steps, wire.StepStatus{Path: path, Title: title, Status: status, Error: why, At: workflow.Now(ctx), From: from})
	r.event(ctx, "step."+status, path, map[string]any{"why": why})
}

// flush writes the batch down; state is running, waiting or done. It runs before every wait and at the end.
func (r *run) flush(ctx workflow.Context, state string) {
	b := r.batch
	b.State, b.Key = state, r.key
	r.batch = wire.Batch{Run: r.in.Run.ID}
	ctx, _ = workflow.NewDisconnectedContext(ctx) // what happened is written down, also when the run was cancelled
	lctx := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 2 * time.Second, ScheduleToCloseTimeout: 2 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	if workflow.ExecuteLocalActivity(lctx, wire.Record, b).Get(ctx, nil) == nil {
		return
	}
	// The database was busy or away: the ledger decides, so the run waits for it.
	_ = workflow.ExecuteActivity(r.patient(ctx), wire.Record, b).Get(ctx, nil)
}

// patient is for the house's own activities: they are repeatable and must get through.
func (r *run) patient(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    10 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	})
}
