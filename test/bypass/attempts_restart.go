package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// reset goes back to the run's beginning: Temporal applies its updates again, and with them the approval.
func reset(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	point, err := c.firstTask(ctx)
	if err != nil {
		return heard{}, err
	}
	_, err = c.raw.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "tourniquet", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: c.workflow}, Reason: "an attack",
		WorkflowTaskFinishEventId: point, RequestId: "reset-" + c.key.ID, ResetReapplyType: enumspb.RESET_REAPPLY_TYPE_ALL_ELIGIBLE, //nolint:staticcheck // an attacker uses what is there
	})
	if err != nil {
		return heard{}, err
	}
	// The run that was reset does something first. Where the ledger does not say what, the attempt goes on: a house without the
	// check would now let bo's approval count.
	_ = until(ctx, 3*time.Second, func() error {
		seq, err := c.ledger(ctx, "", "run.reset_refused")
		if err == nil && seq == 0 {
			err = errors.New("the ledger does not say that the run was reset")
		}
		return err
	})
	return byAPI("bo", nil)(ctx, c)
}

// firstTask is the event at which the first workflow task was completed.
func (c *kase) firstTask(ctx context.Context) (int64, error) {
	it := c.raw.GetWorkflowHistory(ctx, c.workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		if err != nil {
			return 0, err
		}
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return e.GetEventId(), nil
		}
	}
	return 0, errors.New("the run has completed no workflow task")
}

// afterReset: a responder sees the parked run, stops it, and a new one is started.
func (c *kase) afterReset(ctx context.Context) error {
	err := until(ctx, 15*time.Second, func() error {
		var list struct{ Items []database.Question }
		if err := c.read(ctx, "/v1/questions?state=open&run="+c.run, &list); err != nil {
			return err
		}
		for _, q := range list.Items {
			a, err := c.api(ctx, "ana", http.MethodPost, "/v1/questions/"+q.ID+"/answers", map[string]string{"answer": "Stop"})
			if err != nil || a.status == http.StatusOK {
				return err
			}
		}
		return fmt.Errorf("the run that was reset is not parked: %+v", list.Items)
	})
	return errors.Join(err, c.again(ctx))
}

// startedAgain ends the run and starts one with the same id and the same input. People then approve what they see.
func startedAgain(ctx context.Context, c *kase) (heard, error) {
	in, err := c.start(ctx)
	if err != nil {
		return heard{}, err
	}
	if err := c.raw.TerminateWorkflow(ctx, c.workflow, "", "an attack"); err != nil {
		return heard{}, err
	}
	if got, err := c.launch(ctx, c.workflow, in); err != nil || got.code != "wrong_execution" {
		return got, err
	}
	got, err := byAPI("ana", nil)(ctx, c)
	if err != nil || got.code != accepted {
		return got, err
	}
	return byAPI("bo", nil)(ctx, c)
}

// afterTermination: an operator cancels the run whose workflow is gone, and a new one is started.
func (c *kase) afterTermination(ctx context.Context) error {
	return errors.Join(c.cancel(ctx), c.again(ctx))
}
