package activities

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestAGrantAllowsTheCallThatPeopleSigned(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.done(t, c)
	if n := b.sent(sandbox.EffectFinal); n != 1 {
		t.Fatalf("the world saw %d final calls", n)
	}
}

func TestAGrantOfAnotherRunWorldWorkflowStepOrInputCallsNothing(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(t *testing.T, b *bench, c *wire.Call){
		"run": func(t *testing.T, b *bench, c *wire.Call) {
			b.run(t, "run-2", incident.ModeEnforce)
			c.Run = "run-2"
		},
		"world":        func(_ *testing.T, b *bench, _ *wire.Call) { b.h.World = incident.WorldDrill },
		"installation": func(_ *testing.T, b *bench, _ *wire.Call) { b.h.Installation = "other" },
		"workflow": func(t *testing.T, b *bench, c *wire.Call) {
			c.Grant.Envelope.WorkflowID = "another-workflow"
			c.Grant.Decisions = []signoff.Decision{b.decide(t, *c.Grant, "ann", signoff.Approve, b.signer), b.decide(t, *c.Grant, "bob", signoff.Approve, b.signer)}
		},
		"step": func(_ *testing.T, _ *bench, c *wire.Call) { c.Step = "respond/other" },
		"input": func(_ *testing.T, b *bench, c *wire.Call) {
			c.With = map[string]any{"key": b.asKey(b.world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "other"}))}
		},
		"an input more": func(_ *testing.T, b *bench, c *wire.Call) { c.With = map[string]any{"key": b.key, "force": true} },
		"time":          func(_ *testing.T, _ *bench, c *wire.Call) { c.Grant.QuorumAt = time.Now().Add(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			c := b.call("key.revoke", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			c.Grant = &g
			bend(t, b, &c)
			_, err := b.do(t, c)
			refused(t, err, wire.ErrRefused)
			b.untouched(t)
		})
	}
}

func TestAForgedDecisionCallsNothing(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(t *testing.T, b *bench, g *signoff.Grant){
		"none at all":      func(_ *testing.T, _ *bench, g *signoff.Grant) { g.Decisions = nil },
		"one person twice": func(_ *testing.T, _ *bench, g *signoff.Grant) { g.Decisions[1] = g.Decisions[0] },
		"another name":     func(_ *testing.T, _ *bench, g *signoff.Grant) { g.Decisions[1].Person = "cem" },
		"a rejection made an approval": func(t *testing.T, b *bench, g *signoff.Grant) {
			g.Decisions[1] = b.decide(t, *g, "bob", signoff.Reject, b.signer)
			g.Decisions[1].Verb = signoff.Approve
		},
		"a key of one's own under our id": func(t *testing.T, b *bench, g *signoff.Grant) {
			own := thief(t, b)
			own.ID = b.signer.ID
			g.Decisions[1] = b.decide(t, *g, "bob", signoff.Approve, own)
		},
		"a key of one's own in the envelope": func(t *testing.T, b *bench, g *signoff.Grant) {
			own := thief(t, b)
			g.Envelope.PublicKeys = own.PublicKeys()
			g.Decisions = []signoff.Decision{b.decide(t, *g, "ann", signoff.Approve, own), b.decide(t, *g, "bob", signoff.Approve, own)}
		},
		"an envelope changed afterwards": func(_ *testing.T, _ *bench, g *signoff.Grant) { g.Envelope.Rule.Seats[0].Count = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			c := b.call("key.revoke", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			forge(t, b, &g)
			c.Grant = &g
			_, err := b.do(t, c)
			refused(t, err, wire.ErrRefused)
			b.untouched(t)
		})
	}
}

func thief(t *testing.T, b *bench) *seal.Signer {
	t.Helper()
	return must(seal.LoadOrCreateSigner(filepath.Join(b.dir, "thief.json")))(t)
}

func TestAChangedTargetVoidsTheGrant(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.contain", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.meddle(t)
	before := b.sent(sandbox.EffectUndoable)
	_, err := b.do(t, c)
	refused(t, err, wire.ErrDrifted)
	if b.sent(sandbox.EffectUndoable) != before {
		t.Error("a target was changed that people had not seen like this")
	}
}

func TestAPersonWhoLeftTheGroupVoidsTheGrant(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.crowd.leave("bob")
	_, err := b.do(t, c)
	refused(t, err, wire.ErrDrifted)
	b.untouched(t)
}

func TestAResetWorkflowIsRefused(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	if err := b.h.DB.PutSetting(t.Context(), wire.ExecutionOf("run-1"), "the-execution-that-we-started"); err != nil {
		t.Fatal(err)
	}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrRefused)
	b.untouched(t)
	if err := b.h.DB.PutSetting(t.Context(), wire.ExecutionOf("run-1"), testExecution); err != nil {
		t.Fatal(err)
	}
	b.done(t, c) // the same call from the execution that we started
}
