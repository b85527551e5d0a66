package activities

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func (b *bench) project(action string, with map[string]any) wire.Call {
	return wire.Call{Run: "run-1", Incident: "inc-run-1", Step: "respond/" + action, Attempt: 1, Action: action, With: with, At: time.Now()}
}

func (b *bench) stops(t *testing.T) keys.State {
	t.Helper()
	_, p, err := b.h.project("gemini", "")
	if err != nil {
		t.Fatal(err)
	}
	return must(p.ProjectState(t.Context()))(t)
}

func TestAProjectIsStoppedUnderASignoffAndStartedUnderAnother(t *testing.T) {
	t.Parallel()
	b := build(t)
	stop := b.project("project.stop", map[string]any{"provider": "gemini", "account": ""})
	if _, err := b.do(t, stop); err == nil {
		t.Fatal("a whole project was stopped without people")
	}
	b.untouched(t)
	g := b.grant(t, stop, "ann")
	if c := g.Envelope.Calls[0]; c.Reach != keys.ReachProject || c.Target != "the project of gemini:main" || c.Undo == "" {
		t.Errorf("people are shown %+v", c)
	}
	stop.Grant = &g
	if res := b.done(t, stop); res.Undo != "project.start" || res.Outputs["reach"] != keys.ReachProject || !b.stops(t).Done {
		t.Fatalf("the result is %+v, the project %+v", res, b.stops(t))
	}

	probe := b.project("project.probe", stop.With)
	if res := b.done(t, probe); res.Outputs["state"] != keys.ProbeRefused {
		t.Errorf("the probe of a stopped project says %+v", res)
	}

	start := b.project("project.start", map[string]any{"step": stop.Step})
	back := b.grantFor(t, "undo", start, "ann", "bob")
	start.Grant = &back
	b.done(t, start)
	if rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t); b.stops(t).Done || len(rows) != 1 || rows[0].UndoneAt.IsZero() {
		t.Errorf("started again: %+v, %+v", b.stops(t), rows)
	}
	if res := b.done(t, probe); res.Outputs["state"] != keys.ProbeWorking {
		t.Errorf("the probe of a started project says %+v", res)
	}
	if n := b.sent(sandbox.EffectUndoable); n != 2 {
		t.Errorf("%d requests switched something", n)
	}
}

func TestAProjectThatNobodyNamedIsNotGuessed(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.h.Providers = append(b.h.Providers, Account{"other", b.h.Providers[0].Provider})
	for with, want := range map[[2]string]string{
		{"gemini", ""}: "say which project", {"gemini", "nobody"}: "no account", {"openai", ""}: "no account",
	} {
		_, _, err := b.h.project(with[0], with[1])
		if !keys.IsPermanent(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", with, err)
		}
	}
	if name, _, err := b.h.project("gemini", "other"); err != nil || name != "other" {
		t.Errorf("%q, %v", name, err)
	}
}
