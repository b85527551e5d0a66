package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// drills are rehearsals as a user makes them, with the actions and people of the product; what the engine kept is opened with
// the ring of the drill, which is thrown away.
func (r *recorder) drills() {
	for _, scenario := range drilled() {
		dir := r.t.TempDir()
		cmd := exec.Command(r.program, "drill", scenario, "--approve", "auto", "--keep", dir, "-o", "json") //nolint:gosec // the program under test
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("the drill %s: %v: %s", scenario, err, out)
		}
		data := filepath.Join(dir, "data")
		ring, err := seal.Load(filepath.Join(data, "keyring.json"))
		if err != nil {
			r.t.Fatal(err)
		}
		stop := r.serve(data)
		r.drilled(scenario, ring)
		stop()
	}
}

// drilled writes every run of a drill.
func (r *recorder) drilled(scenario string, ring *seal.Ring) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), recordWithin)
	defer cancel()
	list, err := r.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: fmt.Sprintf("WorkflowType = %q", wire.Respond)})
	if err != nil || len(list.GetExecutions()) == 0 {
		r.t.Fatalf("the runs of the drill %s: %d, %v", scenario, len(list.GetExecutions()), err)
	}
	for i, x := range list.GetExecutions() {
		h := r.history(ctx, x.GetExecution().GetWorkflowId(), x.GetExecution().GetRunId())
		if err := unseal(ctx, h, ring); err != nil {
			r.t.Fatal(err)
		}
		name := "drill-" + scenario
		if i > 0 {
			name += fmt.Sprint("-", i+1)
		}
		r.write(name, h)
		r.t.Logf("recorded %s: %d events", name, len(h.GetEvents()))
	}
}

// unseal opens every payload, those in failures included.
func unseal(ctx context.Context, h *historypb.History, ring *seal.Ring) error {
	for _, e := range h.GetEvents() {
		err := proxy.VisitPayloads(ctx, e, proxy.VisitPayloadsOptions{
			SkipSearchAttributes: true,
			Visitor: func(_ *proxy.VisitPayloadsContext, sealed []*commonpb.Payload) ([]*commonpb.Payload, error) {
				for _, p := range sealed {
					if string(p.GetMetadata()["encoding"]) != seal.Encoding {
						return sealed, nil // the engine's own
					}
				}
				return ring.Codec().Decode(sealed)
			},
		})
		if err != nil {
			return errors.Join(fmt.Errorf("event %d", e.GetEventId()), err)
		}
	}
	return nil
}
