package activities

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Somebody who has the secret of a source can forge alerts about every key at once. What that may do by itself is bounded, by
// the trust of the source, by the automatic limit, and by a hold that works on runs that are open already.
func TestAFloodOfForgedButAuthenticatedAlertsContainsNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	const flood, limit = 20, 3
	for name, c := range map[string]struct {
		trust string
		hold  bool
		want  int
	}{
		"from a source that may act": {incident.TrustAct, false, limit},
		"from one that may tell":     {incident.TrustTell, false, 0},
		"while everything is held":   {incident.TrustAct, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			b.h.Policy.AutoLimit = signoff.AutoLimit{Runs: limit, Per: signoff.Duration(time.Hour)}
			if c.hold {
				if err := b.h.DB.SetHold(t.Context(), true, "ann", "forged alerts"); err != nil {
					t.Fatal(err)
				}
			}
			var all sync.WaitGroup
			for i := range flood {
				k := b.asKey(b.world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: fmt.Sprintf("victim %d", i)}))
				run := incident.Run{ID: fmt.Sprintf("run-flood-%d", i), Incident: fmt.Sprintf("inc-flood-%d", i), Number: 1, Playbook: "leaked-key", Digest: "sha256:00",
					Mode: incident.ModeEnforce, World: b.h.World, Trust: c.trust, Key: &k, State: "running", StartedAt: time.Now()}
				if err := b.h.DB.PutRun(t.Context(), run); err != nil {
					t.Fatal(err)
				}
				call := b.call("key.contain", "key", nil)
				call.Run, call.Incident, call.With = run.ID, run.Incident, map[string]any{"key": k}
				all.Go(func() { _, _ = b.do(t, call) }) // who was let through is asked of the world
			}
			all.Wait()
			touched := map[string]bool{}
			for _, e := range b.world.Entries() {
				if e.Effect == sandbox.EffectUndoable || e.Effect == sandbox.EffectFinal {
					touched[e.Key] = true
				}
			}
			if len(touched) != c.want {
				t.Errorf("%d keys were contained without people, %d are allowed", len(touched), c.want)
			}
		})
	}
}
