package playbooks_test

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func compile(t *testing.T, name string, src []byte) *playbooks.Program {
	t.Helper()
	p, faults := playbooks.Compile(name, src, world())
	if p == nil {
		t.Fatalf("%s does not compile:\n%s", name, diag.Text(src, faults))
	}
	return p
}

func library(t *testing.T, name string) []byte {
	t.Helper()
	src, err := fs.ReadFile(playbooks.Library, "library/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestEveryShippedPlaybookCompilesWithoutAFault(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(playbooks.Library, "library/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no playbooks: %v", err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.yaml") {
			continue
		}
		src := library(t, filepath.Base(f))
		p, faults := playbooks.Compile(f, src, world())
		if p == nil || len(faults) > 0 {
			t.Errorf("%s", diag.Text(src, faults))
		}
	}
}

func TestAProgramSurvivesJSON(t *testing.T) {
	t.Parallel()
	p := compile(t, "llmjacking.yaml", library(t, "llmjacking.yaml"))
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back playbooks.Program
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(raw) || !reflect.DeepEqual(back.Steps[0].ID, "first_minute") {
		t.Fatalf("the program changed on its way: %v", err)
	}
}

func steps(p *playbooks.Program) map[string]playbooks.Place {
	out := map[string]playbooks.Place{}
	for x := range playbooks.Steps(p) {
		out[x.Path] = x
	}
	return out
}

func TestTheCardIsCopiedIntoTheProgram(t *testing.T) {
	t.Parallel()
	all := steps(compile(t, "llmjacking.yaml", library(t, "llmjacking.yaml")))
	contain := all["first_minute/stop_the_spend/contain"].Step.Action
	want := catalog()["key.contain"]
	if contain.Effect != "undoable" || contain.CardHash != playbooks.CardHash(want) || contain.Retry.Attempts != 3 ||
		contain.Timeout.Std() != 30*time.Second || !reflect.DeepEqual(contain.Times, []string{"contained_at"}) {
		t.Fatalf("got %+v", contain)
	}
	if got := all["first_minute/usage"].Step.Action.Timeout.Std(); got != 2*time.Minute {
		t.Errorf("the playbook's timeout is %s", got)
	}
	want.Effect = "observe"
	if playbooks.CardHash(want) == contain.CardHash {
		t.Error("another effect has the same digest")
	}
}

func TestSkipIsSafeOnlyWhereEveryLaterReaderGuards(t *testing.T) {
	t.Parallel()
	all := steps(compile(t, "llmjacking.yaml", library(t, "llmjacking.yaml")))
	for path, want := range map[string]bool{
		"first_minute/usage": true, "first_minute/stop_the_spend/contain": false, "sessions": true,
		"triage": false, "dead": false, "replace/fresh": false, "replace": true, "replace/rotate/works": true,
	} {
		if got := all[path].Step.SkipSafe; got != want {
			t.Errorf("skip_safe of %s is %v", path, got)
		}
	}
}

func TestSubPlaybooksAreInlinedAndPinned(t *testing.T) {
	t.Parallel()
	src := "schema: tourniquet/v1\nid: p\ntitle: t\nsteps:\n  - id: sub\n    playbook: quiet\n    with: { why: because }\n"
	all := steps(compile(t, "p.yaml", []byte(src)))
	if all["sub/tell"].Step == nil || all["sub"].Step.Sub.Digest == "" {
		t.Fatalf("got %v", all)
	}
}

func TestTheTriggerDecidesByTheAlert(t *testing.T) {
	t.Parallel()
	p := compile(t, "llmjacking.yaml", library(t, "llmjacking.yaml"))
	for kind, want := range map[string]bool{"key.leaked": true, "alert.resolved": false} {
		env := map[string]any{"alert": map[string]any{"kind": kind, "severity": "high"}}
		got, err := playbooks.Trigger(p, env, time.Unix(0, 0))
		if err != nil || got != want {
			t.Errorf("%s: %v %v", kind, got, err)
		}
	}
}
