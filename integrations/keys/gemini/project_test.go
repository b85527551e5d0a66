package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func (h house) switched() (n int) {
	for _, e := range h.world.Entries() {
		if e.Service == "serviceusage" && e.Effect == sandbox.EffectUndoable {
			n++
		}
	}
	return n
}

func TestAProjectIsStoppedForEveryKeyAndStartedAgain(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	var p keys.ProjectStopper = h.provider
	was := must[keys.State](t)(p.ProjectState(ctx))
	h.probe(t, keys.ProbeWorking, "200")
	if c := p.CanStop(); was.Done || c.Reach != keys.ReachProject || !strings.Contains(c.What, "acme-prod") {
		t.Fatalf("before: %+v, %+v", was, c)
	}

	got := must[keys.Receipt](t)(p.StopProject(ctx))
	now := must[keys.State](t)(p.ProjectState(ctx))
	if !now.Done || now.Fields["generativelanguage.googleapis.com"] != got.After["generativelanguage.googleapis.com"] || got.RequestID == "" {
		t.Fatalf("stopped: %+v, receipt %+v", now, got)
	}
	h.probe(t, keys.ProbeRefused, "SERVICE_DISABLED")
	must[keys.Receipt](t)(p.StopProject(ctx)) // Google refuses a second stop; the state says that there is nothing to do
	if n := h.switched(); n != 1 {
		t.Fatalf("stopping twice switched %d times", n)
	}

	must[keys.Receipt](t)(p.StartProject(ctx, was.Undo))
	h.probe(t, keys.ProbeWorking, "200")
	must[keys.Receipt](t)(p.StartProject(ctx, was.Undo))
	if n := h.switched(); n != 2 {
		t.Fatalf("starting twice switched %d times", n-1)
	}
}

func TestAProjectThatWasOffStaysOff(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	must[keys.Receipt](t)(h.provider.StopProject(ctx))
	off := must[keys.State](t)(h.provider.ProjectState(ctx))
	must[keys.Receipt](t)(h.provider.StartProject(ctx, off.Undo))
	if now := must[keys.State](t)(h.provider.ProjectState(ctx)); !now.Done {
		t.Fatalf("the undo switched on what was off: %+v", now)
	}
	if _, err := h.provider.StartProject(ctx, json.RawMessage("{")); !keys.IsPermanent(err) {
		t.Errorf("an unreadable record gives %v", err)
	}
}

func TestAProjectThatMayNotBeStoppedSaysSo(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, "not the token"), within(t)
	if _, err := h.provider.StopProject(ctx); !keys.IsPermanent(err) || h.switched() != 0 {
		t.Errorf("without the right: %v", err)
	}
}
