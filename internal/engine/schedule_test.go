//go:build !slim

package engine

import (
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func TestASchedulePacesWorkflowsAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	cfg := testConfig(t, dir)
	e := start(t, ctx, cfg)
	_, err := e.Client().ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:     "pace",
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Second}}},
		Action: &client.ScheduleWorkflowAction{ID: "paced", Workflow: "beat", TaskQueue: testQueue},
	})
	if err != nil {
		t.Fatal(err)
	}
	for life := range 2 {
		beats := make(chan struct{}, 100)
		w := worker.New(e.Client(), testQueue, WorkerOptions())
		w.RegisterWorkflowWithOptions(func(workflow.Context) error { beats <- struct{}{}; return nil }, workflow.RegisterOptions{Name: "beat"})
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		for beat := range 2 {
			select {
			case <-beats:
			case <-time.After(20 * time.Second):
				t.Fatalf("life %d: beat %d did not come", life, beat)
			}
		}
		stop(t, w, e)
		if life == 0 {
			e = start(t, ctx, cfg)
		}
	}
}
