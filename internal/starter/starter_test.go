package starter_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

// start is one hand-over of the dispatcher that must not fail.
func (r room) start(t *testing.T, p database.Pending) (fate, reason, run string) {
	t.Helper()
	fate, reason, run, err := r.Start(context.Background(), p)
	must(t, err)
	must(t, r.db.SetFate(context.Background(), p.Alert.ID, fate, reason, run))
	return fate, reason, run
}

func TestTheFirstMatchingPlaybookAnswersWherePrioritiesAreEqual(t *testing.T) {
	t.Parallel()
	r := newRoom(t, fstest.MapFS{
		"a-spend.yaml":     playbook("a-spend", `alert.kind == "spend.threshold"`),
		"b-hand.yaml":      playbook("b-hand", ""),
		"c-leak.yaml":      playbook("c-leak", `alert.kind == "key.leaked"`),
		"d-leak.yaml":      playbook("d-leak", `alert.kind == "key.leaked"`),
		"c-leak_test.yaml": {Data: []byte("no playbook at all")},
	})
	p := r.store(t, leaked("1"))
	fate, reason, id := r.start(t, p)
	if fate != incident.FateStarted || reason != "playbook c-leak" || len(r.engine.starts) != 1 {
		t.Fatalf("%s (%s), %d starts", fate, reason, len(r.engine.starts))
	}
	s := r.engine.starts[0]
	kept := got[incident.Run](t)(r.db.Run(context.Background(), id))
	if s.Program.ID != "c-leak" || s.Alert.ID != p.Alert.ID || s.Run.ID != id || s.Run.Mode != incident.ModeEnforce || r.engine.ids[0] != p.Incident {
		t.Errorf("started %+v as %q", s.Run, r.engine.ids[0])
	}
	if kept.Playbook != "c-leak" || kept.Digest != s.Program.Digest || kept.Trust != incident.TrustAct || kept.Starter != "" {
		t.Errorf("kept %+v", kept)
	}
	bound, found, err := r.db.Setting(context.Background(), "execution/"+id)
	if must(t, err); !found || bound != "execution-1" {
		t.Errorf("the run is bound to the execution %q", bound)
	}
}

func TestWhyNoPlaybookAnswered(t *testing.T) {
	t.Parallel()
	r := newRoom(t, fstest.MapFS{"a-leak.yaml": playbook("a-leak", `alert.kind == "key.leaked"`), "b-usage.yaml": playbook("b-usage", `alert.kind == "usage.anomaly"`)})
	a := leaked("1")
	a.Kind = incident.KindSpend
	fate, reason, run := r.start(t, r.store(t, a))
	if fate != incident.FateRecorded || run != "" || !strings.Contains(reason, "a-leak: its trigger is false; b-usage: its trigger is false") {
		t.Errorf("%s (%s), run %q", fate, reason, run)
	}
	a = leaked("2")
	a.Key = incident.Clue{}
	if fate, reason, _ := r.start(t, r.store(t, a)); fate != incident.FateRecorded || !strings.Contains(reason, "a-leak: the alert names no key") {
		t.Errorf("%s (%s)", fate, reason)
	}
	if n := len(r.engine.starts); n != 0 {
		t.Errorf("%d runs were started", n)
	}
}

func TestARepeatOfTheSameStartIsHarmless(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	p := r.store(t, leaked("1"))
	_, _, first, err := r.Start(ctx, p) // and the process dies before it notes the fate
	must(t, err)
	r.engine.err = serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "")
	fate, _, second := r.start(t, p)
	if fate != incident.FateStarted || first != second || len(r.engine.starts) != 1 || len(r.engine.signals) != 0 {
		t.Errorf("%s: run %q, then %q, %d starts", fate, first, second, len(r.engine.starts))
	}
	if all := got[[]incident.Run](t)(r.db.Runs(ctx, database.Filter{})); len(all) != 1 {
		t.Errorf("%d runs are kept", len(all))
	}
}

func TestASecondAlertJoinsTheOpenRun(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	first := r.store(t, leaked("1"))
	_, _, run := r.start(t, first)
	second := r.store(t, leaked("2"))
	fate, reason, joined := r.start(t, second)
	if fate != incident.FateJoined || joined != run || !strings.Contains(reason, run) || len(r.engine.starts) != 1 {
		t.Errorf("%s (%s), run %q", fate, reason, joined)
	}
	told := r.engine.signals[first.Incident]
	if len(told) != 1 || told[0]["id"] != second.Alert.ID || told[0]["kind"] != incident.KindKeyLeaked {
		t.Errorf("the run was told %v", told)
	}
	other := leaked("3")
	other.Key.ID = "k2"
	if fate, _, third := r.start(t, r.store(t, other)); fate != incident.FateStarted || third == run {
		t.Errorf("another key: %s, run %q", fate, third)
	}
}

func TestAResolvedAlertWithoutRunIsRecorded(t *testing.T) {
	t.Parallel()
	r := newRoom(t, fstest.MapFS{"all.yaml": playbook("all", `alert.severity == "high"`)})
	a := leaked("1")
	a.Kind = incident.KindResolved
	if fate, reason, run := r.start(t, r.store(t, a)); fate != incident.FateRecorded || run != "" || !strings.Contains(reason, "no run is open") || len(r.engine.starts) != 0 {
		t.Errorf("%s (%s), run %q", fate, reason, run)
	}
}

func TestTemporalDownIsUnavailableNotPoison(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	p := r.store(t, leaked("1"))
	r.engine.err = serviceerror.NewUnavailable("connection refused")
	var out *intake.UnavailableError
	if fate, _, _, err := r.Start(ctx, p); !errors.As(err, &out) || fate != "" {
		t.Fatalf("%q, %v", fate, err)
	}
	r.engine.err = nil
	if fate, _, _ := r.start(t, p); fate != incident.FateStarted || len(r.engine.starts) != 1 {
		t.Errorf("after the outage: %s, %d starts", fate, len(r.engine.starts))
	}
	second := r.store(t, leaked("2"))
	r.engine.err = serviceerror.NewUnavailable("connection refused")
	if _, _, _, err := r.Start(ctx, second); !errors.As(err, &out) {
		t.Errorf("an alert that could not join: %v", err)
	}
}

func TestARunThatSomebodyEndedOutsideIsClosedAndTheNextAlertStartsAnother(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	_, _, first := r.start(t, r.store(t, leaked("1")))
	closed := ""
	r.Gone = func(ctx context.Context, run incident.Run, _, _ string) error {
		closed = run.ID
		return r.db.UpdateRun(ctx, run.ID, func(r *incident.Run) { r.State = "done" })
	}
	second := r.store(t, leaked("2"))
	r.engine.err = serviceerror.NewNotFound("workflow execution already completed")
	var out *intake.UnavailableError
	if _, _, _, err := r.Start(ctx, second); !errors.As(err, &out) || closed != first {
		t.Fatalf("closed %q, %v", closed, err)
	}
	r.engine.err = nil
	fate, _, run := r.start(t, second)
	if fate != incident.FateStarted || run != first+"-2" || len(r.engine.starts) != 2 {
		t.Errorf("%s, run %q, %d starts", fate, run, len(r.engine.starts))
	}
	again, err := r.db.Run(ctx, run)
	if err != nil || again.Number != 2 || again.WorkflowID() != again.Incident+"/2" {
		t.Errorf("the second run is %+v, %v", again, err)
	}
}

func TestARunWhoseWorkflowIsAboutToStartIsNotGone(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	closed := 0
	r.Gone = func(context.Context, incident.Run, string, string) error { closed++; return nil }
	first, second := r.store(t, leaked("1")), r.store(t, leaked("2"))
	r.engine.err = serviceerror.NewUnavailable("connection refused") // written down, not yet started
	if _, _, _, err := r.Start(ctx, first); err == nil {
		t.Fatal("it started without an engine")
	}
	r.engine.err = serviceerror.NewNotFound("workflow not found")
	var out *intake.UnavailableError
	if _, _, _, err := r.Start(ctx, second); !errors.As(err, &out) || closed != 0 {
		t.Fatalf("an alert from beside: closed %d, %v", closed, err)
	}
	r.engine.err = nil
	if fate, _, run := r.start(t, first); fate != incident.FateStarted || len(r.engine.starts) != 1 || r.engine.starts[0].Run.ID != run {
		t.Errorf("%s, %d starts", fate, len(r.engine.starts))
	}
	if fate, _, _ := r.start(t, second); fate != incident.FateJoined {
		t.Errorf("the alert from beside: %s", fate)
	}
	must(t, r.db.SetFate(ctx, first.Alert.ID, incident.FateStarted, "", r.engine.starts[0].Run.ID))
	r.engine.err = serviceerror.NewNotFound("workflow execution already completed")
	if _, _, _, err := r.Start(ctx, r.store(t, leaked("3"))); !errors.As(err, &out) || closed != 1 {
		t.Errorf("when it was started and is gone: closed %d, %v", closed, err)
	}
}

func TestABrokenPlaybookRefusesTheLibraryWithItsPlace(t *testing.T) {
	t.Parallel()
	bad := playbook("bad", `alert.kind == "key.leaked"`)
	bad.Data = []byte(strings.Replace(string(bad.Data), "    ask:", "    aks:", 1))
	_, err := starter.Load(fstest.MapFS{"bad.yaml": bad, "leak.yaml": playbook("leak", `alert.kind == "key.leaked"`)}, world())
	var b *starter.Broken
	if !errors.As(err, &b) || b.File != "bad.yaml" || len(b.Faults) == 0 || !strings.Contains(err.Error(), "bad.yaml:") {
		t.Fatalf("got %v", err)
	}
	lines := strings.Split(string(b.Source), "\n")
	if f := b.Faults[0]; f.Line < 1 || f.Line > len(lines) || f.Column < 1 {
		t.Errorf("the place %d:%d is not in the file", f.Line, f.Column)
	}
	if _, err := starter.Load(fstest.MapFS{"x_test.yaml": bad}, world()); err == nil || !strings.Contains(err.Error(), "no playbook") {
		t.Errorf("an empty library: %v", err)
	}
}
