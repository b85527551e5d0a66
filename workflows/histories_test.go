package workflows_test

import (
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/workflows"
)

var (
	recordWith = flag.String("record", "", "record the histories of -release anew with this tourniquet program (make histories)")
	recordOnly = flag.String("only", "", "the one case of recordings_test.go that is recorded; empty: everything")
	release    = flag.String("release", "unreleased", "the folder of histories that is recorded")
)

const histories = "testdata/histories"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

// respond is the type of the workflow, so that a changed one can stand in its place.
type respond func(workflow.Context, wire.Start) (wire.Ended, error)

// replay runs a history through a workflow as a worker does that meets an open run of an earlier release.
func replay(h *historypb.History, f respond) error {
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DisableDeadlockDetection: true})
	if err != nil {
		return err
	}
	r.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: wire.Respond})
	r.RegisterWorkflowWithOptions(workflows.Sweep, workflow.RegisterOptions{Name: wire.SweepName})
	// The replayer writes into what it reads, and others read it, too.
	return r.ReplayWorkflowHistoryWithOptions(quietLog(), proto.CloneOf(h), worker.ReplayWorkflowHistoryOptions{OriginalExecution: execution(h)})
}

// execution is the run that a history belongs to. A reset gives a run a new id, which stands where it was reset.
func execution(h *historypb.History) workflow.Execution {
	began := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	x := workflow.Execution{ID: began.GetWorkflowId(), RunID: began.GetOriginalExecutionRunId()}
	for _, e := range h.GetEvents() {
		if id := e.GetWorkflowTaskFailedEventAttributes().GetNewRunId(); id != "" {
			x.RunID = id
		}
	}
	return x
}

// recorded reads all histories, by release and name.
func recorded(t *testing.T) map[string]*historypb.History {
	t.Helper()
	files, err := filepath.Glob(histories + "/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*historypb.History{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(name, histories+"/"), ".json")] = h
	}
	return all
}

// A run that is open when a new release starts is replayed by it from its first event. If the code then decides otherwise than
// it did, the run stands still.
func TestRunsThatEarlierReleasesBeganGoOnWithThisOne(t *testing.T) {
	if *recordWith != "" { // before any other test goes on: they read what is written here
		record(t, *recordWith, filepath.Join(histories, *release), *recordOnly)
	}
	t.Parallel()
	all := recorded(t)
	for _, c := range recordings() {
		if all["unreleased/"+c.name] == nil {
			t.Errorf("there is no history of %q: run make histories", c.name)
		}
	}
	for name, h := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := replay(h, workflows.Respond); err != nil {
				t.Errorf("a run like this would stand still after the update (CONTRIBUTING.md, How to change a workflow): %v", err)
			}
		})
	}
}

// Whoever cuts a release keeps its histories under its name: git mv unreleased v1.2.3, make histories.
func TestEveryReleaseHasItsHistories(t *testing.T) {
	t.Parallel()
	log, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	releases := regexp.MustCompile(`(?m)^## (\S+)`).FindAllStringSubmatch(string(log), -1)
	if len(releases) == 0 {
		t.Fatal("CHANGELOG.md names no release")
	}
	for _, r := range releases {
		folder := filepath.Join(histories, strings.ToLower(r[1]))
		if files, err := filepath.Glob(folder + "/*.json"); err != nil || len(files) < 20 {
			t.Errorf("CHANGELOG.md names %q, and %q holds %d histories: keep those that were recorded when it was released", r[1], folder, len(files))
		}
	}
}

// Every point at which a worker may have stopped, not only the end: an open run is a history that is cut short.
func TestOpenRunsGoOnWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for name, h := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, e := range h.GetEvents() {
				if e.GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED {
					continue
				}
				if err := replay(&historypb.History{Events: h.GetEvents()[:i+1]}, workflows.Respond); err != nil {
					t.Errorf("cut after event %d: %v", e.GetEventId(), err)
				}
			}
		})
	}
}

// changes are slips that somebody could make in Respond. Each must be noticed; what is guarded by a version must not.
func changes() map[string]respond {
	return map[string]respond{
		"a pause before everything": func(ctx workflow.Context, in wire.Start) (wire.Ended, error) {
			if err := workflow.Sleep(ctx, time.Second); err != nil {
				return wire.Ended{}, err
			}
			return workflows.Respond(ctx, in)
		},
		"one call more": func(ctx workflow.Context, in wire.Start) (wire.Ended, error) {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Second})
			if err := workflow.ExecuteActivity(ctx, wire.Burn, wire.BurnAsk{}).Get(ctx, nil); err != nil {
				return wire.Ended{}, err
			}
			return workflows.Respond(ctx, in)
		},
		"the last step left out": func(ctx workflow.Context, in wire.Start) (wire.Ended, error) {
			p := *in.Program
			p.Steps, in.Program = p.Steps[:len(p.Steps)-1], &p
			return workflows.Respond(ctx, in)
		},
		"two steps the other way round": func(ctx workflow.Context, in wire.Start) (wire.Ended, error) {
			p := *in.Program
			if n := len(p.Steps); n > 1 {
				p.Steps = append(p.Steps[:0:0], p.Steps...)
				p.Steps[n-1], p.Steps[n-2] = p.Steps[n-2], p.Steps[n-1]
			}
			in.Program = &p
			return workflows.Respond(ctx, in)
		},
		"nothing at all": func(workflow.Context, wire.Start) (wire.Ended, error) { return wire.Ended{}, nil },
	}
}

func TestAChangedWorkflowIsNoticedByTheHistories(t *testing.T) {
	t.Parallel()
	all := recorded(t)
	for slip, f := range changes() {
		t.Run(slip, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"straight", "drill-gemini-leak"} {
				if err := replay(all["unreleased/"+name], f); err == nil {
					t.Errorf("%s would have broken open runs, and %q did not show it", slip, name)
				}
			}
		})
	}
}

// What CONTRIBUTING.md tells whoever changes a workflow.
func TestAChangeBehindAVersionLeavesOpenRunsAlone(t *testing.T) {
	t.Parallel()
	careful := func(ctx workflow.Context, in wire.Start) (wire.Ended, error) {
		if workflow.GetVersion(ctx, "a-pause-before-everything", workflow.DefaultVersion, 1) >= 1 {
			if err := workflow.Sleep(ctx, time.Second); err != nil {
				return wire.Ended{}, err
			}
		}
		return workflows.Respond(ctx, in)
	}
	for name, h := range recorded(t) {
		if h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName() != wire.Respond {
			continue
		}
		if err := replay(h, careful); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// secretShapes are those that the drills hand around: what was stolen or made must not even be in a history that is opened. The
// id of an AWS key is no secret; what belongs to it never stands beside it.
var secretShapes = regexp.MustCompile(`AIza[0-9A-Za-z_-]{35}|AQ\.[0-9A-Za-z_-]{20,}|sk-(ant-|proj-|or-)?[0-9A-Za-z_-]{20,}|gh[ps]_[0-9A-Za-z]{20,}|xox[bap]-[0-9A-Za-z-]{10,}|ABSK[0-9A-Za-z+/=]{20,}`)

func TestNoHistoryHoldsASecret(t *testing.T) {
	t.Parallel()
	payload := regexp.MustCompile(`"data":"([^"]*)"`)
	files, err := filepath.Glob(histories + "/*/*.json")
	if err != nil || len(files) < len(recordings()) {
		t.Fatalf("%d histories, %v", len(files), err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		for _, m := range payload.FindAllStringSubmatch(text, -1) {
			opened, err := base64.StdEncoding.DecodeString(m[1])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text += string(opened)
		}
		if found := secretShapes.FindString(text); found != "" {
			t.Errorf("%s holds what looks like a secret: %.12s…", name, found)
		}
		if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(seal.Encoding))) {
			t.Errorf("%s holds a payload that is still sealed", name)
		}
	}
}
