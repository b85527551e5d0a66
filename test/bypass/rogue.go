package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

const (
	namespace = "tourniquet"
	rogueName = "rogue"
	rogues    = 24 // polls at once, so that most tasks come to them and not to the real worker
)

func ourQueue() *taskqueuepb.TaskQueue {
	return &taskqueuepb.TaskQueue{Name: wire.TaskQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL}
}

// crowd runs rogues at once until the answer is called.
func crowd(ctx context.Context, poll func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range rogues {
		all.Go(func() {
			for ctx.Err() == nil {
				one, done := context.WithTimeout(ctx, time.Minute) // a poll without an end is answered at once
				poll(one)
				done()
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// pending waits until our worker is in the middle of an activity of this run, and gives its id.
func (c *kase) pending(ctx context.Context, name string) (id string, err error) {
	err = until(ctx, 15*time.Second, func() error {
		d, err := c.raw.DescribeWorkflowExecution(ctx, c.workflow, "")
		if err != nil {
			return err
		}
		for _, a := range d.GetPendingActivities() {
			if a.GetActivityType().GetName() == name && a.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED {
				id = a.GetActivityId()
				return nil
			}
		}
		return fmt.Errorf("%s is not under way", name)
	})
	return id, err
}

// forge completes the activity in our worker's place.
func (c *kase) forge(ctx context.Context, name string, result any) error {
	id, err := c.pending(ctx, name)
	if err != nil {
		return err
	}
	return c.ring.CompleteActivityByID(ctx, namespace, c.workflow, "", id, result, nil)
}

// orders polls our queue for a task of the case's run, which it makes come by signals, and orders a call in the run's name.
func (c *kase) orders(ctx context.Context, call wire.Call) error {
	input, err := c.converter.ToPayloads(call)
	if err != nil {
		return err
	}
	api, got := c.raw.WorkflowService(), make(chan struct{}, rogues)
	stop := crowd(ctx, func(ctx context.Context) {
		task, err := api.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{Namespace: namespace, TaskQueue: ourQueue(), Identity: rogueName})
		if err != nil || len(task.GetTaskToken()) == 0 {
			return
		}
		bg, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if task.GetWorkflowExecution().GetWorkflowId() != c.workflow {
			_, _ = api.RespondWorkflowTaskFailed(bg, &workflowservice.RespondWorkflowTaskFailedRequest{Namespace: namespace, TaskToken: task.GetTaskToken(), Identity: rogueName})
			return
		}
		if c.respond(bg, task.GetTaskToken(), call.Action, input) == nil {
			got <- struct{}{}
		}
	})
	defer stop()
	for range 40 { // the real worker polls, too
		_, err = api.ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: c.workflow}})
		if err == nil {
			err = c.raw.SignalWorkflow(ctx, c.workflow, "", "wake", nil)
		}
		if err != nil {
			return err
		}
		timer := time.NewTimer(250 * time.Millisecond)
		select {
		case <-got:
			timer.Stop()
			return nil
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the real worker took every task, so nothing was tried")
}

func (c *kase) respond(ctx context.Context, token []byte, action string, input *commonpb.Payloads) error {
	_, err := c.raw.WorkflowService().RespondWorkflowTaskCompleted(ctx, &workflowservice.RespondWorkflowTaskCompletedRequest{
		Namespace: namespace, TaskToken: token, Identity: rogueName,
		Commands: []*commandpb.Command{{CommandType: enumspb.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, Attributes: &commandpb.Command_ScheduleActivityTaskCommandAttributes{
			ScheduleActivityTaskCommandAttributes: &commandpb.ScheduleActivityTaskCommandAttributes{
				ActivityId: "evil", ActivityType: &commonpb.ActivityType{Name: action}, TaskQueue: ourQueue(), Input: input,
				StartToCloseTimeout: durationpb.New(20 * time.Second), ScheduleToCloseTimeout: durationpb.New(40 * time.Second), RetryPolicy: &commonpb.RetryPolicy{MaximumAttempts: 1},
			}}}},
	})
	return err
}

// ordered waits for the end of what orders ordered; the text is how it failed, empty when it did not.
func (c *kase) ordered(ctx context.Context) (why string, err error) {
	err = until(ctx, 30*time.Second, func() error {
		it := c.raw.GetWorkflowHistory(ctx, c.workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var evil int64
		for it.HasNext() {
			e, err := it.Next()
			if err != nil {
				return err
			}
			switch {
			case e.GetActivityTaskScheduledEventAttributes().GetActivityId() == "evil":
				evil = e.GetEventId()
			case evil != 0 && e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId() == evil:
				why = ""
				return nil
			case evil != 0 && e.GetActivityTaskFailedEventAttributes().GetScheduledEventId() == evil:
				why = c.failure.FailureToError(e.GetActivityTaskFailedEventAttributes().GetFailure()).Error()
				return nil
			}
		}
		return errNotYet
	})
	return why, err
}
