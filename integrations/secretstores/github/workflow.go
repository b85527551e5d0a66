package github

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
)

// dispatch starts the workflow and returns a receipt with its run id. return_run_details is newer than go-github
// v60; servers that do not know it answer 204 without an id.
func (s *Store) dispatch(ctx context.Context, j job) (string, error) {
	body := map[string]any{"ref": j.ref, "return_run_details": true}
	if len(j.inputs) > 0 {
		body["inputs"] = j.inputs
	}
	var got struct {
		ID int64 `json:"workflow_run_id"`
	}
	what := fmt.Sprintf("start workflow %q of %s/%s", j.workflow, j.owner, j.repo)
	if _, err := s.api.Call(ctx, what, http.MethodPost, j.path("dispatches"), body, &got); err != nil {
		return "", err
	}
	if got.ID == 0 {
		return "workflow:" + j.workflow, nil
	}
	return fmt.Sprintf("run:%d", got.ID), nil
}

type workflowRun struct {
	ID         int64     `json:"id"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	CreatedAt  time.Time `json:"created_at"`
}

// checkWorkflow looks at the newest run of the workflow. A run older than the secret proves nothing about it.
func (s *Store) checkWorkflow(ctx context.Context, p place, j job) (secretstores.Health, error) {
	changed, err := s.updatedAt(ctx, p)
	if err != nil {
		return secretstores.Health{}, err
	}
	var got struct {
		Runs []workflowRun `json:"workflow_runs"`
	}
	what := fmt.Sprintf("read the runs of workflow %q of %s/%s", j.workflow, j.owner, j.repo)
	if _, err := s.api.Call(ctx, what, http.MethodGet, j.path("runs")+"?per_page=1", nil, &got); err != nil {
		return secretstores.Health{}, err
	}
	if len(got.Runs) == 0 || got.Runs[0].CreatedAt.Before(changed) {
		return secretstores.Health{Detail: fmt.Sprintf("workflow %s has not run since the secret was changed", j.workflow)}, nil
	}
	run := got.Runs[0]
	if run.Status != "completed" {
		return secretstores.Health{Detail: fmt.Sprintf("run %d is %s", run.ID, run.Status)}, nil
	}
	return secretstores.Health{
		Healthy: run.Conclusion == "success",
		Detail:  fmt.Sprintf("run %d ended with %s", run.ID, run.Conclusion),
	}, nil
}
