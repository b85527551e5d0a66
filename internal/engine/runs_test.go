//go:build !slim

package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// mixed uses every way in which the SDK writes a payload of its own or ours.
func mixed(ctx workflow.Context, secret string) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 5 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
	_ = workflow.GetVersion(ctx, "first-change", workflow.DefaultVersion, 1)
	var side string
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return secret }).Get(&side); err != nil {
		return "", err
	}
	var local, far string
	if err := workflow.ExecuteLocalActivity(ctx, "echo", side).Get(ctx, &local); err != nil {
		return "", err
	}
	if err := workflow.ExecuteActivity(ctx, "echo", local).Get(ctx, &far); err != nil {
		return "", err
	}
	if err := workflow.ExecuteActivity(ctx, "fail", far).Get(ctx, nil); err == nil || !strings.Contains(err.Error(), secret) {
		return "", fmt.Errorf("the failure came as %w", err)
	}
	if err := workflow.ExecuteLocalActivity(ctx, "fail", far).Get(ctx, nil); err == nil {
		return "", errors.New("the local failure got lost")
	}
	return far, nil
}

// failing ends with the error of an activity, wrapped.
func failing(ctx workflow.Context, secret string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
	if err := workflow.ExecuteActivity(ctx, "fail", secret).Get(ctx, nil); err != nil {
		return fmt.Errorf("containing the key: %w", err)
	}
	return nil
}

func parked(ctx workflow.Context, _ string) (string, error) {
	var answer string
	err := workflow.SetUpdateHandler(ctx, "decide", func(_ workflow.Context, a string) (string, error) {
		answer = a
		return "heard " + a, nil
	})
	if err != nil {
		return "", err
	}
	return answer, workflow.Await(ctx, func() bool { return answer != "" })
}

func one(ctx workflow.Context, started time.Time) (time.Duration, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Second})
	var d time.Duration
	return d, workflow.ExecuteLocalActivity(ctx, "since", started).Get(ctx, &d)
}

func oneFar(ctx workflow.Context, started time.Time) (time.Duration, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Second})
	var d time.Duration
	return d, workflow.ExecuteActivity(ctx, "since", started).Get(ctx, &d)
}

type acts struct{}

func (acts) Echo(_ context.Context, s string) (string, error) { return s, nil }
func (acts) Fail(_ context.Context, s string) error {
	return temporal.NewApplicationError("refused because of "+s, "refused", s)
}
func (acts) Since(_ context.Context, t time.Time) (time.Duration, error) { return time.Since(t), nil }

func registerActs(w worker.Worker) {
	for name, fn := range map[string]any{"echo": acts{}.Echo, "fail": acts{}.Fail, "since": acts{}.Since} {
		w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}
