package activities

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// discardOf is the undo of a creation.
func (b *bench) discardOf(c wire.Call) wire.Call {
	d := b.call(actionDiscard, "", nil)
	d.With = map[string]any{"step": c.Step}
	return d
}

// makes has a new key made under a sign-off.
func (b *bench) makes(t *testing.T) (wire.Call, wire.Result) {
	t.Helper()
	c := b.call("key.create", "like", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	return c, b.done(t, c)
}

// row is the undo record of a step.
func (b *bench) row(t *testing.T, step string) database.UndoRow {
	t.Helper()
	for _, r := range must(b.h.DB.Undos(t.Context(), "run-1"))(t) {
		if r.Step == step {
			return r
		}
	}
	t.Fatalf("there is no undo record of %s", step)
	return database.UndoRow{}
}

// takeBack has the undo frozen under the policy of undos and signed by two.
func (b *bench) takeBack(t *testing.T, d wire.Call, attempt int) wire.Call {
	t.Helper()
	ask := wire.Freeze{
		Run: d.Run, Step: "undo", Attempt: attempt, Title: "Take back what is in force", Why: "a test", Within: 1e9 * 3600, Complete: 1e9 * 1800, Undo: true,
		Calls: []wire.Planned{{Step: d.Step, Action: d.Action, With: d.With}}, At: time.Now().Add(-2 * time.Minute), WorkflowID: testWorkflow, PublicKeys: b.signer.PublicKeys(),
	}
	var view signoff.View
	if err := must(b.fresh().ExecuteActivity(wire.FreezeSignoff, ask))(t).Get(&view); err != nil {
		t.Fatal(err)
	}
	g := signoff.Grant{Request: view.Request, Envelope: view.Envelope, QuorumAt: time.Now().Add(-30 * time.Second)}
	for _, p := range []string{"ann", "bob"} {
		g.Decisions = append(g.Decisions, b.decide(t, g, p, signoff.Approve, b.signer))
	}
	d.Grant = &g
	return d
}

// deleted are the keys that the world deleted for good, in order.
func (b *bench) deleted() (ids []string) {
	for _, e := range b.world.Entries() {
		if e.Effect == sandbox.EffectFinal {
			ids = append(ids, e.Key)
		}
	}
	return ids
}

func TestAnUnusedNewKeyIsDeletedAtEveryProviderAndTheStolenOneIsNotTouched(t *testing.T) {
	t.Parallel()
	for name, of := range issuers() {
		if name == "azure_openai" || name == "anthropic" { // one makes no key, at the other a person does: see below
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := stealing(t, of)
			c, res := b.makes(t)
			fresh := madeKey(t, res)
			if row := b.row(t, c.Step); res.Undo != actionDiscard || !row.InForce() || row.Target != named(fresh) {
				t.Fatalf("undo %q, record %+v", res.Undo, row)
			}
			d := b.discardOf(c)
			_, err := b.do(t, d)
			refused(t, err, wire.ErrRefused)
			d = b.takeBack(t, d, 1)
			if plan := d.Grant.Envelope.Calls[0]; plan.Effect != signoff.EffectFinal || plan.Target != named(fresh) || plan.State["exists"] == "false" ||
				!strings.Contains(plan.After, b.key.Target()) || plan.Undo != "" || !strings.Contains(plan.State["key"], fresh.ID) {
				t.Errorf("people are shown %+v", plan)
			}
			b.done(t, d)
			b.gone(t, p, c, fresh)

			again := b.takeBack(t, d, 2)
			if res := b.done(t, again); !res.Already || res.Summary == "" {
				t.Errorf("deleting what is deleted says %+v", res)
			}
			b.gone(t, p, c, fresh)
		})
	}
}

// gone checks that exactly the new key was deleted, once, that its value is shredded, and that the stolen key is as it was.
func (b *bench) gone(t *testing.T, p keys.Provider, c wire.Call, fresh incident.Key) {
	t.Helper()
	if st := must(p.State(t.Context(), keys.OpRevoke, fresh))(t); !st.Done {
		t.Errorf("the new key is there still: %+v", st)
	}
	if st := must(p.State(t.Context(), keys.OpRevoke, b.key))(t); st.Done {
		t.Error("the stolen key was deleted")
	}
	if got := must(p.Probe(t.Context(), b.key, []byte(b.stolen.Secret())))(t); got.State != keys.ProbeWorking {
		t.Errorf("the stolen key is %s: %s", got.State, got.Detail)
	}
	if ids := b.deleted(); len(ids) != 1 || ids[0] == b.stolen.ID {
		t.Errorf("deleted were %v, the stolen key is %s", ids, b.stolen.ID)
	}
	if row := b.row(t, c.Step); row.UndoneAt.IsZero() || row.InForce() {
		t.Errorf("the record says %+v", row)
	}
	if value, err := b.h.DB.OpenSealed(t.Context(), *fresh.Secret); err == nil {
		t.Errorf("%d bytes of a dead key are kept", len(value))
	}
}

func TestAKeyThatADependentTookOverIsNotTakenBackUntilTheDependentIs(t *testing.T) {
	t.Parallel()
	eachShelf(t, func(t *testing.T, b *bench, s shelf) {
		c, _ := b.handOver(t, s)
		create := b.call("key.create", "like", nil)
		d := b.discardOf(create)
		g := b.grant(t, c, "ann", "bob")
		c.Grant = &g
		if res := b.done(t, c); !slices.Equal(res.UsedUp, []string{create.Step}) {
			t.Errorf("the update uses up %v", res.UsedUp)
		}
		if row := b.row(t, create.Step); row.InForce() || !slices.Equal(row.UsedBy, []string{dependentTarget(s.dependent)}) {
			t.Errorf("the record says %+v", row)
		}
		_, err := dryDiscard(t.Context(), b.h, In{d})
		if !keys.IsPermanent(err) || !strings.Contains(err.Error(), s.dependent.ID) || !strings.Contains(err.Error(), "give them another key first") {
			t.Errorf("the plan to delete a key in use says %v", err)
		}
		back := b.call("dependent.restore", "dependent", nil)
		back.With = map[string]any{"dependent": s.dependent, "step": c.Step}
		b.done(t, b.takeBack(t, back, 1))
		if row := b.row(t, create.Step); !row.InForce() {
			t.Errorf("nobody has the key any more, and the record says %+v", row)
		}
		b.done(t, b.takeBack(t, d, 2))
		if ids := b.deleted(); len(ids) == 0 || slices.Contains(ids, b.stolen.ID) {
			t.Errorf("deleted were %v", ids)
		}
	})
}

func TestAGrantToDeleteAnUnusedKeyDoesNotOutliveItsUse(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.withShelves(t)["vault"]
	c, _ := b.handOver(t, s)
	d := b.takeBack(t, b.discardOf(b.call("key.create", "like", nil)), 1)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.done(t, c)
	_, err := b.do(t, d)
	refused(t, err, wire.ErrPermanent)
	if ids := b.deleted(); len(ids) != 0 {
		t.Errorf("deleted were %v", ids)
	}
}

func TestADependentThatRefusedTheKeyLeavesItUnused(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.withShelves(t)["vault"]
	c, _ := b.handOver(t, s)
	in, a := In{c}, must(b.h.action(c.Action))(t)
	g := b.grant(t, c, "ann", "bob")
	in.Grant = &g
	stale := must(a.DryRun(t.Context(), b.h, in))(t)
	s.write("a later value")
	if _, err := b.h.undoably(t.Context(), a, in, stale); err == nil {
		t.Fatal("the value was written over")
	}
	if row := b.row(t, "respond/key.create"); !row.InForce() {
		t.Errorf("the store did not take it, and the record says %+v", row)
	}
}

func TestAKeyWhoseAnswerWasLostIsFoundByItsLabelAndDeleted(t *testing.T) {
	t.Parallel()
	b, p := stealing(t, issuers()["gemini"])
	c := b.call("key.create", "like", nil)
	a := must(b.h.action(c.Action))(t)
	e := must(a.DryRun(t.Context(), b.h, In{c}))(t)
	if _, err := b.h.keepUndo(t.Context(), a, In{c}, e); err != nil {
		t.Fatal(err)
	}
	lost := must(p.Create(t.Context(), b.key, createLabel(In{c})))(t)
	d := b.takeBack(t, b.discardOf(c), 1)
	if state := d.Grant.Envelope.Calls[0].State; !strings.Contains(state["key"], lost.Key.ID) {
		t.Errorf("people are shown %v", state)
	}
	b.done(t, d)
	if st := must(p.State(t.Context(), keys.OpRevoke, lost.Key))(t); !st.Done {
		t.Error("the orphan is there still")
	}
	if ids := b.deleted(); !slices.Equal(ids, []string{lost.Key.ID}) {
		t.Errorf("deleted were %v", ids)
	}
}

func TestALostAnswerOfADeletionIsNotSentTwice(t *testing.T) {
	t.Parallel()
	for name, arrived := range map[string]bool{"it had arrived": true, "it had not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := stealing(t, issuers()["gemini"])
			c, res := b.makes(t)
			fresh := madeKey(t, res)
			d := b.takeBack(t, b.discardOf(c), 1)
			b.started(t, d)
			if arrived {
				must(p.Revoke(t.Context(), fresh))(t)
			}
			if res := b.done(t, d); res.Already != arrived {
				t.Errorf("%+v", res)
			}
			b.gone(t, p, c, fresh)
		})
	}
}

func TestWhereNothingIsMadeNothingIsTakenBack(t *testing.T) {
	t.Parallel()
	b, _ := stealing(t, issuers()["azure_openai"])
	c, res := b.makes(t)
	if res.Undo != "" {
		t.Errorf("handing over the other key is undone by %q", res.Undo)
	}
	if rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
	_, err := dryDiscard(t.Context(), b.h, In{b.discardOf(c)})
	if !keys.IsPermanent(err) || !strings.Contains(err.Error(), "no record of a key") {
		t.Errorf("%v", err)
	}
}

func TestAKeyMadeByHandIsInForceOnceItIsThereAndIsDeletedToo(t *testing.T) {
	t.Parallel()
	b, _ := handmade(t)
	c := b.call("key.create", "like", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	for range 2 {
		_, err := b.do(t, c)
		refused(t, err, wire.ErrWait)
		if rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t); len(rows) != 0 {
			t.Fatalf("nobody made a key yet, and in force is %+v", rows)
		}
	}
	fresh := b.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop, new"})
	b.seal(t, b.openQuestion(t), fresh.Secret())
	if res := b.done(t, c); res.Undo != actionDiscard {
		t.Fatalf("%+v", res)
	}
	b.done(t, b.takeBack(t, b.discardOf(c), 1))
	if ids := b.deleted(); !slices.Equal(ids, []string{fresh.ID}) {
		t.Errorf("deleted were %v, made was %s", ids, fresh.ID)
	}
}

func TestARecordThatNamesTheStolenKeyDeletesNothing(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.create", "like", nil)
	record := must(madeRecord(In{c}, b.key))(t)
	if err := errors.Join(b.h.DB.PutUndo(t.Context(), database.UndoRow{Run: c.Run, Step: c.Step, Action: actionDiscard, Target: "a new key", Undo: record, At: time.Now()}),
		b.h.DB.SetUndoLeft(t.Context(), c.Run, c.Step, "", leftKey(b.key))); err != nil {
		t.Fatal(err)
	}
	d := b.discardOf(c)
	for what, try := range map[string]func() error{
		"planned": func() error { _, err := dryDiscard(t.Context(), b.h, In{d}); return err },
		"run":     func() error { _, err := discard(t.Context(), b.h, In{d}); return err },
	} {
		if err := try(); !keys.IsPermanent(err) || !strings.Contains(err.Error(), b.key.Target()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.untouched(t)
}

func TestACreationThatTheProviderRefusedLeavesNothingInForce(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.create", "like", nil)
	a := must(b.h.action(c.Action))(t)
	e := must(a.DryRun(t.Context(), b.h, In{c}))(t)
	b.h.Providers[0].Provider = refusing{b.h.Providers[0].Provider}
	if _, err := b.h.undoably(t.Context(), a, In{c}, e); !keys.IsPermanent(err) {
		t.Fatalf("%v", err)
	}
	if rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t); len(rows) != 0 {
		t.Errorf("in force is %+v", slices.Collect(maps.Keys(rows[0].Left)))
	}
}

// refusing makes no key.
type refusing struct{ keys.Provider }

func (refusing) Create(_ context.Context, like incident.Key, _ string) (keys.Created, error) {
	return keys.Created{}, keys.Permanent(errors.New("403: no more keys for " + like.ID))
}
