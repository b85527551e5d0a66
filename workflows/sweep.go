package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// Sweep is one tick of the watch over one account. Each key is kept by itself, so a sweep that ends early loses nothing, and
// the next tick is the retry.
func Sweep(ctx workflow.Context, in wire.Sweep) (wire.Swept, error) {
	var out wire.Swept
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Hour, HeartbeatTimeout: 2 * time.Minute,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	}), wire.WatchSweep, in).Get(ctx, &out)
	return out, err
}
