package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/test/chaos/hook"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// workshop is where everything is built, once for every test that wants it.
type workshop struct {
	dir                  string
	plain, hooked, judge func() (string, error)
}

var works *workshop

// TestMain is also the workflow engine: the sieges start it as a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == rig.EngineArg {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := rig.RunEngine(ctx, os.Args[2], os.Args[3]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:gocritic // the signals need no goodbye
		}
		return
	}
	dir, err := os.MkdirTemp("", "chaos-test-")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	works = &workshop{dir: dir}
	works.plain = sync.OnceValues(func() (string, error) {
		return build(context.Background(), filepath.Join(dir, "plain"), "cmd/tourniquet")
	})
	works.hooked = sync.OnceValues(func() (string, error) { return buildHooked(context.Background(), dir, "") })
	works.judge = sync.OnceValues(func() (string, error) {
		return build(context.Background(), filepath.Join(dir, "judge"), "test/judge")
	})
	code := m.Run()
	_ = os.RemoveAll(dir) // a leftover in the temporary directory is no failure
	os.Exit(code)
}

func built(t *testing.T, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The short form of `make chaos`: some kills, and a fault of each sort.
func TestNothingIsLostWhenServeIsKilledAndTheWorldBreaks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out bytes.Buffer
	err := chaos(t.Context(), []string{"-binary", built(t, works.hooked), "-judge", built(t, works.judge), "-kills", "8", "-cuts", "30", "-faults", "5", "-least", "3", "-rounds", "0", "-seed", "1", "-keep", dir}, &out)
	t.Log(out.String())
	last := regexp.MustCompile(`\n(\d+) cuts, [3-5] faults, 0 violations\n$`)
	if err != nil || !last.MatchString(out.String()) {
		t.Fatalf("the chaos did not go well: %v", err)
	}
}

// The short form of `make fleet`: two processes with doors and two workers, each replaced once while people press.
func TestAFleetIsReplacedWhilePeoplePressAndNothingIsLost(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := chaos(t.Context(), []string{"-only", "fleet", "-binary", built(t, works.plain), "-judge", built(t, works.judge), "-rounds", "1", "-calm", "3s", "-seed", "1", "-keep", t.TempDir()}, &out)
	t.Log(out.String())
	last := regexp.MustCompile(`\n[1-9]\d* alerts, [1-9]\d* presses, 4 restarts, 0 lost\n$`)
	if err != nil || !last.MatchString(out.String()) {
		t.Fatalf("a rolling restart did not go well: %v", err)
	}
}

func TestAPressThatWasAcknowledgedAndIsNotRecordedIsLost(t *testing.T) {
	t.Parallel()
	press := func(method, actor string, status int) sandbox.Entry {
		e := sandbox.Entry{Service: "slack", Method: method, Path: "r-1/approve", Actor: actor, Status: status}
		if method == "PRESS" {
			e.Effect = sandbox.EffectPress
		}
		return e
	}
	p := pressesOf([]sandbox.Entry{
		press("PRESS", sandbox.UserAna, 202), press("PRESS", sandbox.UserBo, 202), press("ACK", sandbox.UserBo, 504), press("ACK", sandbox.UserAna, 200), press("PRESS", sandbox.UserBo, 202),
	})
	if p.acknowledged != 1 || p.unanswered != 1 || len(p.took) != 1 {
		t.Errorf("%+v", p)
	}
	ana, bo := mark{"r-1", "ana", "approve"}, mark{"r-1", "bo", "approve"}
	for name, one := range map[string]struct {
		made map[mark]record
		lost int
	}{
		"as it is":                         {map[mark]record{ana: {1, 1, 1}}, 0},
		"kept, and nobody was told":        {map[mark]record{ana: {1, 1, 1}, bo: {1, 1, 1}}, 0},
		"pressed again, and refused":       {map[mark]record{ana: {1, 1, 1}, bo: {2, 1, 1}}, 0},
		"the run refuses what was sent":    {map[mark]record{ana: {2, 1, 0}}, 0},
		"lost":                             {map[mark]record{}, 1},
		"counted twice":                    {map[mark]record{ana: {1, 1, 1}, bo: {2, 2, 2}}, 1},
		"nobody pressed that often":        {map[mark]record{ana: {1, 1, 1}, bo: {3, 3, 1}}, 1},
		"another's and not hers":           {map[mark]record{bo: {1, 1, 1}}, 1},
		"somebody who has pressed nothing": {map[mark]record{ana: {1, 1, 1}, {"r-1", "lee", "approve"}: {1, 0, 0}}, 1},
	} {
		if lost := p.against(one.made); len(lost) != one.lost {
			t.Errorf("%s: %q", name, lost)
		}
	}
}

// What a build without durability loses must show: in the storm's own form test/e2e has the build that answers too early.
func TestABuildThatWritesTheReceiptBeforeTheCallTurnsTheTableRed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := chaos(t.Context(), []string{"-mutants", "-mutant", boastful, "-judge", built(t, works.judge), "-seed", "1", "-keep", t.TempDir()}, &out)
	t.Log(out.String())
	if err != nil || !strings.Contains(out.String(), "red") {
		t.Fatalf("nobody noticed: %v", err)
	}
}

// Every file that package hook changes is changed by go build -overlay only: the product that users run has no trace of it.
func TestTheProductHasNoTraceOfTheHook(t *testing.T) {
	t.Parallel()
	root, err := top(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"/cmd/tourniquet").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(deps), "test/") {
		t.Error("the product imports something below test/")
	}
	for _, room := range []string{"cmd", "internal", "activities", "workflows", "integrations", "playbooks"} {
		_ = filepath.WalkDir(filepath.Join(root, room), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			text, err := os.ReadFile(path) //nolint:gosec // our own source
			if err == nil && (bytes.Contains(text, []byte("test/chaos")) || bytes.Contains(text, []byte("CHAOS_"))) {
				t.Errorf("%s knows of the hook", path)
			}
			return err
		})
	}
	for path, wanted := range map[string]bool{built(t, works.plain): false, built(t, works.hooked): true} {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if has := bytes.Contains(body, []byte(hook.TraceVar)); has != wanted {
			t.Errorf("%s holds the hook: %t, wanted %t", filepath.Base(path), has, wanted)
		}
	}
}

func TestTheTallyCountsARunOncePerTransitionAndNotAfterItsEnd(t *testing.T) {
	t.Parallel()
	line := func(who, phase, class string) string {
		return strings.Join([]string{"1", who, phase, class, class}, "\t") + "\n"
	}
	lives := []string{
		line("a", "before", "db call *") + line("b", "after", "db call *") + line("", "before", "talk"),
		line("a", "before", "db call *"), // the same cut again
		line("a", "after", closes) + line("a", "after", over) + line("b", "before", over),
		line("a", "after", "http POST /chat"), // it has ended: what still comes is no cut
	}
	count := newTally()
	for i, text := range lives {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := count.add(path, "before db call *", i == 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(count.cuts) != 3 || count.kills != 4 || count.bySelf != 1 {
		t.Errorf("%d cuts by %d kills, %d by itself: %v", len(count.cuts), count.kills, count.bySelf, count.cuts)
	}
	for _, m := range count.untried("") {
		if m == "before db call *" {
			t.Error("a transition that was hit is still untried")
		}
	}
}

func TestTheListHasFortyKindsOfFaultOrMoreAndEachIsNamedOnce(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, f := range append(faults(), clusterFaults()...) {
		if names[f.name] || f.begin == nil || f.lasts < time.Second {
			t.Errorf("%q is there twice, does nothing, or not long enough", f.name)
		}
		names[f.name] = true
	}
	if len(names) < 40 {
		t.Errorf("%d kinds of fault, 40 are wanted", len(names))
	}
	if some := (choices{faults: 9}).chosenOf(faults()); len(some) != 9 {
		t.Errorf("%d of 9 were chosen", len(some))
	}
}

func TestACutThatDoesNotFitTheCodeIsRefused(t *testing.T) {
	t.Parallel()
	texts := map[string]string{"a.go": "import (\n)\nx\nx\n"}
	if err := (cut{file: "a.go", find: "x\n", put: "y\n"}).make("", texts); err == nil {
		t.Error("a cut that fits twice was made")
	}
	err := (cut{file: "a.go", find: "x\n", put: "hook.At()\n", times: 2}).make("", texts)
	if text := texts["a.go"]; err != nil || strings.Count(text, "hook.At()") != 2 || !strings.Contains(text, module+"/test/chaos/hook\"") {
		t.Errorf("%v: %s", err, text)
	}
	if err := (cut{file: "missing.go", find: "x"}).make(t.TempDir(), texts); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
