package lookout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// schedulePrefix begins the id of every schedule of ours.
const schedulePrefix = "watch/"

// Schedule makes sure that there is one schedule for each account, at this pace, and none for accounts that are gone. A sweep
// that takes longer than the pace is not overtaken by the next one.
func (l *Lookout) Schedule(ctx context.Context, c client.Client, every time.Duration) error {
	wanted := map[string]bool{}
	for _, a := range l.Accounts {
		id := schedulePrefix + a.Provider.Name() + "/" + a.Name
		wanted[id] = true
		if err := l.schedule(ctx, c, id, every, wire.Sweep{Provider: a.Provider.Name(), Account: a.Name}); err != nil {
			return fmt.Errorf("scheduling the watch of account %q: %w", a.Name, err)
		}
	}
	return dropOthers(ctx, c, wanted)
}

func (l *Lookout) schedule(ctx context.Context, c client.Client, id string, every time.Duration, in wire.Sweep) error {
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	action := &client.ScheduleWorkflowAction{ID: id, Workflow: wire.SweepName, TaskQueue: wire.TaskQueue, Args: []any{in}, WorkflowRunTimeout: sweepLimit}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: id, Spec: spec, Action: action, Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: time.Minute, TriggerImmediately: true,
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return c.ScheduleClient().GetHandle(ctx, id).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			s.Spec, s.Action = &spec, action
			return &client.ScheduleUpdate{Schedule: &s}, nil
		},
	})
}

// sweepLimit bounds one sweep; the next one goes on where it stopped, because each key is kept by itself.
const sweepLimit = time.Hour

func dropOthers(ctx context.Context, c client.Client, wanted map[string]bool) error {
	list, err := c.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return fmt.Errorf("listing the schedules of the watch: %w", err)
	}
	for list.HasNext() {
		s, err := list.Next()
		if err != nil {
			return fmt.Errorf("listing the schedules of the watch: %w", err)
		}
		if !strings.HasPrefix(s.ID, schedulePrefix) || wanted[s.ID] {
			continue
		}
		err = c.ScheduleClient().GetHandle(ctx, s.ID).Delete(ctx)
		var gone *serviceerror.NotFound
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("ending the schedule %q: %w", s.ID, err)
		}
	}
	return nil
}

// Unschedule ends every schedule of the watch.
func Unschedule(ctx context.Context, c client.Client) error { return dropOthers(ctx, c, nil) }
