package workflows_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/workflows"
)

// A workflow engine takes its own time, so what is recorded has to be short. recordWithin bounds one run.
const (
	recordWithin = 3 * time.Minute
	namespace    = "tourniquet"
)

// recorder writes what a real workflow engine holds of runs, opened, into one folder.
type recorder struct {
	t       *testing.T
	program string // the tourniquet that is recorded
	folder  string
	client  client.Client
}

// record makes every history anew: of the cases here, played by the house of these tests on a real engine, and of drills, in which
// nothing is played but the outside.
func record(t *testing.T, program, folder, only string) {
	t.Helper()
	r := &recorder{t: t, program: program, folder: folder}
	for _, c := range recordings() {
		if c.name == only {
			stop := r.serve(t.TempDir())
			defer stop()
			r.play(c)
			return
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	r.drills()
	stop := r.serve(t.TempDir())
	defer stop()
	for _, c := range recordings() {
		r.play(c)
	}
	r.sweep()
}

// serve runs a workflow engine on a folder and connects to it.
func (r *recorder) serve(dir string) (stop func()) {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := l.Close(); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, r.program, "temporal", "serve", "--data-dir", dir, "--port", port) //nolint:gosec // the program under test
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	says, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	lines := bufio.NewScanner(says)
	for lines.Scan() && !strings.Contains(lines.Text(), "temporal is ready") {
	}
	go func() {
		for lines.Scan() { // it must not wait for a reader
		}
	}()
	r.client, err = client.Dial(client.Options{HostPort: address, Namespace: namespace, Logger: quietLog()})
	if err != nil {
		r.t.Fatal(err)
	}
	return func() {
		r.client.Close()
		cancel()
		_ = cmd.Wait() // how it ended is no news: we ended it
	}
}

func quietLog() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// play runs one case on the real engine, people included, and writes its history.
func (r *recorder) play(c recording) {
	t := r.t
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), recordWithin)
	defer cancel()
	d := newDrive(t)
	d.house.now = time.Now
	d.later = func(do func(), after time.Duration) { time.AfterFunc(after, do) }
	d.send = func(name, id string, answer *testsuite.TestUpdateCallback, arg any) {
		r.update(ctx, name, id, answer, arg)
	}
	c.set(d)
	d.start.Policy = d.house.policy

	w := worker.New(r.client, wire.TaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(workflows.Respond, workflow.RegisterOptions{Name: wire.Respond})
	for name, verb := range d.house.verbs() {
		w.RegisterActivityWithOptions(verb, activity.RegisterOptions{Name: name})
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	run, err := r.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: wire.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING}, wire.Respond, d.start)
	if err != nil {
		t.Fatal(err)
	}
	id := run.GetRunID()
	if c.disturb != nil {
		if id, err = c.disturb(ctx, r, d, id); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	if c.outcome == "" {
		r.resting(ctx, id)
	} else {
		d.err = r.client.GetWorkflow(ctx, workflowID, id).Get(ctx, &d.ended)
		d.wants(c.outcome)
		d.judge()
	}
	r.write(c.name, r.history(ctx, workflowID, id))
	t.Logf("recorded %s: %s", c.name, d.ended.Outcome)
}

func (r *recorder) update(ctx context.Context, name, id string, answer *testsuite.TestUpdateCallback, arg any) {
	h, err := r.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: workflowID, UpdateID: id, UpdateName: name, Args: []any{arg},
		WaitForStage: client.WorkflowUpdateStageCompleted})
	var reply wire.Reply
	if err == nil {
		err = h.Get(ctx, &reply)
	}
	if err != nil {
		answer.OnReject(err)
		return
	}
	answer.OnComplete(reply, nil)
}

// resting waits until a run has nothing left to do but to wait for people.
func (r *recorder) resting(ctx context.Context, run string) {
	r.t.Helper()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	calm := 0
	for events := int64(0); calm < 10; <-look.C {
		d, err := r.client.DescribeWorkflowExecution(ctx, workflowID, run)
		if err != nil {
			r.t.Fatal(err)
		}
		length := d.GetWorkflowExecutionInfo().GetHistoryLength()
		if d.GetPendingWorkflowTask() != nil || len(d.GetPendingActivities()) > 0 || length != events || length < 6 {
			calm = 0
		}
		events = length
		calm++
	}
}

func (r *recorder) history(ctx context.Context, workflowID, run string) *historypb.History {
	r.t.Helper()
	var h historypb.History
	for events := r.client.GetWorkflowHistory(ctx, workflowID, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			r.t.Fatal(err)
		}
		h.Events = append(h.Events, e)
	}
	return &h
}

func (r *recorder) write(name string, h *historypb.History) {
	r.t.Helper()
	raw, err := protojson.Marshal(h)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.folder, name+".json"), append(raw, '\n'), 0o644)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// reset takes the run back to its beginning, as somebody could who holds the engine's namespace.
func reset(ctx context.Context, r *recorder, _ *drive, run string) (string, error) {
	r.resting(ctx, run)
	res, err := r.client.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: run}, RequestId: "reset-" + run,
		Reason: "a test", WorkflowTaskFinishEventId: 4,
	})
	return res.GetRunId(), err
}

// sweep is a tick of the watch.
func (r *recorder) sweep() {
	t := r.t
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), recordWithin)
	defer cancel()
	w := worker.New(r.client, wire.TaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(workflows.Sweep, workflow.RegisterOptions{Name: wire.SweepName})
	w.RegisterActivityWithOptions(func(context.Context, wire.Sweep) (wire.Swept, error) { return wire.Swept{Polled: 3}, nil }, activity.RegisterOptions{Name: wire.WatchSweep})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	run, err := r.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "watch", TaskQueue: wire.TaskQueue}, wire.SweepName, wire.Sweep{Provider: "gemini", Account: "demo"})
	if err == nil {
		err = run.Get(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.write("sweep", r.history(ctx, "watch", run.GetRunID()))
}
