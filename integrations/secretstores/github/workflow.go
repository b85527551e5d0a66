package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
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

// Deploys implements secretstores.Deployer.
func (s *Store) Deploys() string { return secretstores.DeployWorkflow }

// Deployable implements secretstores.Deployer: a workflow whose runs can be read exists.
func (s *Store) Deployable(ctx context.Context, d incident.Dependent) error {
	j, err := deployOf(d)
	if err != nil {
		return err
	}
	_, err = s.newest(ctx, j)
	return err
}

// Deploy implements secretstores.Deployer.
func (s *Store) Deploy(ctx context.Context, d incident.Dependent, _ secretstores.Change) (string, error) {
	j, err := deployOf(d)
	if err != nil {
		return "", err
	}
	return s.dispatch(ctx, j)
}

// Deployed implements secretstores.Deployer. The workflow is the one of the check, of redeploy by default.
func (s *Store) Deployed(ctx context.Context, d incident.Dependent, since time.Time) (secretstores.Health, error) {
	merged := map[string]string{}
	maps.Copy(merged, d.Redeploy)
	maps.Copy(merged, d.Check)
	j, err := jobOf(d, merged)
	if err != nil {
		return secretstores.Health{}, err
	}
	runs, err := s.newest(ctx, j)
	if err != nil {
		return secretstores.Health{}, err
	}
	if len(runs) == 0 || runs[0].CreatedAt.Before(since.Truncate(time.Second)) {
		return secretstores.Health{Detail: fmt.Sprintf("workflow %s has not run since the secret was changed", j.workflow)}, nil
	}
	run := runs[0]
	if run.Status != "completed" {
		return secretstores.Health{Detail: fmt.Sprintf("run %d is %s", run.ID, run.Status)}, nil
	}
	return secretstores.Health{
		Healthy: run.Conclusion == "success",
		Detail:  fmt.Sprintf("run %d ended with %s", run.ID, run.Conclusion),
	}, nil
}

func (s *Store) newest(ctx context.Context, j job) ([]workflowRun, error) {
	var got struct {
		Runs []workflowRun `json:"workflow_runs"`
	}
	what := fmt.Sprintf("read the runs of workflow %q of %s/%s", j.workflow, j.owner, j.repo)
	_, err := s.api.Call(ctx, what, http.MethodGet, j.path("runs")+"?per_page=1", nil, &got)
	return got.Runs, err
}
