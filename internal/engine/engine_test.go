//go:build !slim

package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

const testQueue = "test-queue"

// settle is how soon a parked run must take a decision after Start has returned.
const settle = 2 * time.Second

func testConfig(tb testing.TB, dir string) Config {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "keys.json"), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return Config{
		DataDir:          dir,
		Logger:           slog.New(slog.NewTextHandler(os.Stderr, nil)),
		DataConverter:    seal.DataConverter(ring),
		FailureConverter: seal.FailureConverter(ring),
	}
}

func startWorker(tb testing.TB, e *Engine) worker.Worker {
	tb.Helper()
	w := worker.New(e.Client(), testQueue, WorkerOptions())
	for name, fn := range map[string]any{"mixed": mixed, "failing": failing, "parked": parked, "one": one, "oneFar": oneFar} {
		w.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
	registerActs(w)
	if err := w.Start(); err != nil {
		tb.Fatal(err)
	}
	return w
}

func start(tb testing.TB, ctx context.Context, cfg Config) *Engine {
	tb.Helper()
	began := time.Now()
	e, err := Start(ctx, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Logf("Start returned after %v", time.Since(began).Round(time.Millisecond))
	return e
}

func park(ctx context.Context, e *Engine, marker string) error {
	run, err := e.Client().ExecuteWorkflow(ctx, options("parked"), "parked", marker)
	if err != nil {
		return err
	}
	// A run whose history shows a completed workflow task has set its handler.
	it := e.Client().GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), true, 1)
	for it.HasNext() {
		event, err := it.Next()
		if err != nil {
			return err
		}
		if event.GetWorkflowTaskCompletedEventAttributes() != nil {
			return nil
		}
	}
	return errors.New("the run ended instead of waiting")
}

func options(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: id, TaskQueue: testQueue, EnableEagerStart: true, WorkflowTaskTimeout: 2 * time.Second}
}

// decide sends the update to the parked run and checks that it was taken and ended the run.
func decide(tb testing.TB, ctx context.Context, e *Engine, since time.Time) {
	tb.Helper()
	ctx, cancel := context.WithDeadline(ctx, since.Add(settle))
	defer cancel()
	h, err := e.Client().UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: "parked", UpdateName: "decide", Args: []any{"yes"}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		tb.Fatalf("the parked run took no decision within %v of the start: %v", settle, err)
	}
	var heard string
	if err := h.Get(ctx, &heard); err != nil || heard != "heard yes" {
		tb.Fatalf("the update answered %q, %v", heard, err)
	}
	tb.Logf("the parked run took its decision %v after Start returned", time.Since(since).Round(time.Millisecond))
}

func TestRunsAreEncryptedAndSurviveARestart(t *testing.T) {
	t.Parallel()
	ctx, dir, marker := t.Context(), t.TempDir(), randomMarker(t)
	cfg := testConfig(t, dir)
	e := start(t, ctx, cfg)
	w := startWorker(t, e)

	run, err := e.Client().ExecuteWorkflow(ctx, options("mixed"), "mixed", marker)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := run.Get(ctx, &got); err != nil || got != marker {
		t.Fatalf("the run answered %q, %v", got, err)
	}
	if run, err = e.Client().ExecuteWorkflow(ctx, options("failing"), "failing", marker); err != nil {
		t.Fatal(err)
	}
	if err := run.Get(ctx, nil); err == nil || !strings.Contains(err.Error(), marker) {
		t.Fatalf("the failing run ended with %v", err)
	}
	measure(t, ctx, e)
	if err := park(ctx, e, marker); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(ctx, cfg); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("another tourniquet (pid %d) uses this directory", os.Getpid())) {
		t.Errorf("a second start on the same directory gives %v", err)
	}
	checkNamespace(t, ctx, e, 30*24*time.Hour)
	stop(t, w, e)

	cfg.Retention = 60 * 24 * time.Hour
	again := start(t, ctx, cfg)
	since := time.Now()
	w = startWorker(t, again)
	decide(t, ctx, again, since)
	checkNamespace(t, ctx, again, 60*24*time.Hour)
	stop(t, w, again)
	checkFile(t, dir, marker)
}

func stop(t *testing.T, w worker.Worker, e *Engine) {
	t.Helper()
	w.Stop()
	began := time.Now()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("Close took %v", time.Since(began).Round(time.Millisecond))
}

func measure(t *testing.T, ctx context.Context, e *Engine) {
	t.Helper()
	for _, name := range []string{"one", "oneFar"} {
		var all []time.Duration
		for i := range 30 {
			run, err := e.Client().ExecuteWorkflow(ctx, options(fmt.Sprintf("%s-%d", name, i)), name, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var d time.Duration
			if err := run.Get(ctx, &d); err != nil {
				t.Fatal(err)
			}
			all = append(all, d)
		}
		slices.Sort(all)
		t.Logf("start to first activity, %s: min %v, p50 %v, max %v", name, all[0], all[len(all)/2], all[len(all)-1])
	}
}

func checkNamespace(t *testing.T, ctx context.Context, e *Engine, want time.Duration) {
	t.Helper()
	ns, err := e.Client().WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: e.Namespace()})
	if err != nil {
		t.Fatal(err)
	}
	if got := ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); got != want {
		t.Errorf("closed runs are kept for %v, want %v", got, want)
	}
}

func checkFile(t *testing.T, dir, marker string) {
	t.Helper()
	path := filepath.Join(dir, "temporal.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var mode string
	if err := db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("the journal mode is %q, %v; want wal", mode, err)
	}
	var members int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM cluster_membership").Scan(&members); err != nil || members != 0 {
		t.Errorf("%d members of a cluster are left in the file, %v", members, err)
	}
	sawID := false
	for _, name := range []string{path, path + "-wal"} {
		body, err := os.ReadFile(name) //nolint:gosec // the test's own file
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte(marker)) || seal.Redact(string(body), []byte(marker)) != string(body) {
			t.Errorf("what the run was given can be read in %q", filepath.Base(name))
		}
		sawID = sawID || bytes.Contains(body, []byte("mixed"))
	}
	if !sawID {
		t.Error("the run's id is in no file: this test looks in the wrong place")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the database has mode %v, %v", info.Mode(), err)
	}
}

func randomMarker(tb testing.TB) string {
	tb.Helper()
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		tb.Fatal(err)
	}
	return "marker-" + hex.EncodeToString(b)
}
