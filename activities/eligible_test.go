package activities

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// watched counts the looks at people and may be away.
type watched struct {
	*crowd
	looks atomic.Int64
	away  atomic.Bool
}

func (w *watched) MayDecide(context.Context, string) (string, error) {
	w.looks.Add(1)
	if w.away.Load() {
		return "", errors.New("chat does not answer")
	}
	return "", nil
}

func (b *bench) look(t *testing.T, decisions []signoff.Decision) (why string, err error) {
	t.Helper()
	got, err := b.env.ExecuteActivity(wire.RecheckSignoff, wire.Settle{Run: "run-1", Request: "so-1", Decisions: decisions})
	if err == nil {
		err = got.Get(&why)
	}
	return why, err
}

func TestALookAtThePeopleCountsForExactlyTheirDecisions(t *testing.T) {
	t.Parallel()
	b := build(t)
	p := &watched{crowd: b.crowd}
	b.h.People = p
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	look := func(decisions ...signoff.Decision) {
		got, err := b.env.ExecuteActivity(wire.RecheckSignoff, wire.Settle{Run: "run-1", Request: g.Request, Decisions: decisions})
		why := ""
		if err == nil {
			err = got.Get(&why)
		}
		if err != nil || why != "" {
			t.Fatalf("%q, %v", why, err)
		}
	}
	look()               // at nobody
	look(g.Decisions[0]) // at ann alone
	b.crowd.leave("bob")
	_, err := b.do(t, c)
	refused(t, err, wire.ErrDrifted)
	b.untouched(t)
}

func TestALookIsBelievedOnceItIsWrittenDown(t *testing.T) {
	t.Parallel()
	b := build(t)
	p := &watched{crowd: b.crowd}
	b.h.People = p
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	if _, err := b.env.ExecuteActivity(wire.RecheckSignoff, wire.Settle{Run: "run-1", Request: g.Request, Decisions: g.Decisions}); err != nil {
		t.Fatal(err)
	}
	before := p.looks.Load()
	p.away.Store(true)
	b.done(t, c)
	if n := p.looks.Load() - before; n != 0 {
		t.Errorf("people were looked at %d more times", n)
	}
}

func TestWhileNobodyCanBeLookedAtNothingIsSentAndTheCallWaits(t *testing.T) {
	t.Parallel()
	b := build(t)
	p := &watched{crowd: b.crowd}
	p.away.Store(true)
	b.h.People = p
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	_, err := b.do(t, c)
	refused(t, err, wire.ErrWait)
	if rows := must(b.h.DB.Calls(t.Context(), "run-1"))(t); len(rows) != 0 {
		t.Errorf("a row was begun: %+v", rows)
	}
	if _, err := b.look(t, g.Decisions); err == nil {
		t.Error("a look that could not be made was one")
	}
	p.away.Store(false)
	b.done(t, c)
}

func TestAnApprovalThatIsUsedTooLateHasLapsed(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.h.Now = func() time.Time { return time.Now().Add(11 * time.Minute) }
	_, err := b.do(t, c)
	refused(t, err, wire.ErrLapsed)
	b.untouched(t)
}

func TestACallThatFailedUnderItsSignoffIsAskedAnew(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	row := b.started(t, c)
	if err := b.h.DB.FinishCall(t.Context(), row.ID, database.CallFailed, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrDrifted)
	b.untouched(t)
}

func TestALostCallWhoseTargetSomebodyChangedIsForAPerson(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.contain", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.started(t, c)
	b.meddle(t)
	before := b.sent(sandbox.EffectUndoable)
	_, err := b.do(t, c)
	refused(t, err, wire.ErrUnknown)
	if b.sent(sandbox.EffectUndoable) != before {
		t.Error("somebody's change was overwritten")
	}
}

func TestAResetVoidsWhatIsOpenAndMayOnlyAskAndClose(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	if _, err := b.env.ExecuteActivity(wire.VoidRun, wire.Void{Run: "run-1"}); err == nil {
		t.Fatal("the execution that we started could void itself")
	}
	b.started2(t, "the-execution-that-was-reset")
	_, err := b.do(t, c)
	refused(t, err, wire.ErrRefused)
	if _, err := b.env.ExecuteActivity(wire.Record, wire.Batch{Run: "run-1"}); err == nil {
		t.Error("an execution that is not ours could write into the run's records")
	}
	if _, err := b.env.ExecuteActivity(wire.VoidRun, wire.Void{Run: "run-1", Why: "it was reset"}); err != nil {
		t.Fatal(err)
	}
	view := must(b.h.DB.Request(t.Context(), g.Request))(t)
	run := must(b.h.DB.Run(t.Context(), "run-1"))(t)
	if view.State != signoff.StateVoided || run.State != "parked" {
		t.Errorf("the request is %s and the run %s", view.State, run.State)
	}
	if _, err := b.env.ExecuteActivity(wire.Record, wire.Batch{Run: "run-1"}); err != nil {
		t.Errorf("the parked run cannot write down what it does: %v", err)
	}
	_, err = b.do(t, c)
	refused(t, err, wire.ErrRefused)
	b.untouched(t)
	kinds := map[string]bool{}
	for _, row := range must(b.h.DB.Ledger(t.Context(), "run-1"))(t) {
		kinds[row.Kind] = true
	}
	if !kinds["run.reset_refused"] || !kinds["call.refused"] || !kinds["signoff.settled"] {
		t.Errorf("the ledger holds %v", kinds)
	}
}

func TestWhatTheRunDidNotTakeIsInItsLedgerOnceASecond(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.h.Now = func() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }
	for range 50 {
		b.h.Refused(t.Context(), "inc-run-1", "x", "update", wire.UpdateDecide, signoff.BadSignature, "forged")
	}
	b.h.Refused(t.Context(), "inc-of-nobody", "x", "signal", "evil", "unknown_signal", "nobody listens")
	rows := must(b.h.DB.Ledger(t.Context(), "run-1"))(t)
	if len(rows) != 1 || rows[0].Kind != "update.refused" || rows[0].Actor != "system" {
		t.Errorf("the ledger holds %d entries: %+v", len(rows), rows)
	}
	if r := (incident.Run{Incident: "inc-1", Number: 2}); r.WorkflowID() != "inc-1/2" {
		t.Errorf("a second run's workflow is %q", r.WorkflowID())
	}
}
