package activities

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestAProbeTellsForHowLongTheKeyWorkedOn(t *testing.T) {
	t.Parallel()
	b := build(t)
	ref := must(b.h.DB.PutSealed(t.Context(), "leak/a", []byte(b.stolen.Secret()), "run-1"))(t)
	b.key.Secret = &ref
	probe := b.call("key.probe", "key", nil)
	if got := b.done(t, probe); got.Outputs["state"] != keys.ProbeWorking || got.Outputs["revoked_at"] != nil || got.Outputs["last_worked_at"] != nil {
		t.Fatalf("before: %+v", got.Outputs)
	}

	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.done(t, c)
	revoked := must(b.h.revokedAt(t.Context(), "run-1", b.key))(t)
	if revoked.IsZero() {
		t.Fatal("no receipt tells when the key was revoked")
	}

	// Google honours the key for a while; what is seen then is what the real provider would let us see.
	now := revoked.Add(9 * time.Second)
	b.h.Now = func() time.Time { return now }
	w := must(b.h.lingering(t.Context(), "run-1", b.key, keys.ProbeWorking))(t)
	if s := w.words(keys.ProbeWorking); s != "; it still works 9s after it was revoked" {
		t.Errorf("still working: %q", s)
	}
	now = revoked.Add(14 * time.Second)
	probe.Until = `result.state == "refused"`
	got := b.done(t, probe)
	if s, _ := got.Outputs["summary"].(string); !strings.HasPrefix(s, "refused: 400") || !strings.HasSuffix(s, "; it worked on for 9s to 14s after it was revoked") {
		t.Errorf("refused: %q", s)
	}
	if got.Outputs["worked_on_seconds"] != 14.0 || got.Outputs["revoked_at"] != revoked.Format(time.RFC3339Nano) {
		t.Errorf("outputs: %+v", got.Outputs)
	}
	now = revoked.Add(time.Hour) // a later look changes nothing of what was seen first
	if again := b.done(t, probe); again.Outputs["worked_on_seconds"] != 14.0 {
		t.Errorf("looked again: %+v", again.Outputs)
	}
	if w := must(b.h.lingering(t.Context(), "run-2", b.key, keys.ProbeRefused))(t); !w.Revoked.IsZero() {
		t.Errorf("another run answers for this one: %+v", w)
	}
	probe.Until = `result.state == "working"`
	_, err := b.do(t, probe)
	refused(t, err, wire.ErrNotYet)
}
