package activities

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestNothingIsCalledUnderASignoffThatIsOlderThanTheRestore(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	recheck := func() (why string) {
		t.Helper()
		got, err := b.env.ExecuteActivity(wire.RecheckSignoff, wire.Settle{Run: "run-1", Request: g.Request, Decisions: g.Decisions})
		if err == nil {
			err = got.Get(&why)
		}
		if err != nil {
			t.Fatal(err)
		}
		return why
	}
	if why := recheck(); why != "" {
		t.Errorf("before the restore the people do not count: %s", why)
	}
	if err := b.h.DB.MarkRestored(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrDrifted) // the workflow asks anew
	b.untouched(t)
	if why := recheck(); !strings.Contains(why, "came out of a backup") {
		t.Errorf("a look at the people says %q", why)
	}
	rows, err := b.h.DB.Calls(t.Context(), "run-1")
	if err != nil || len(rows) != 0 {
		t.Errorf("the records hold %d calls, %v", len(rows), err)
	}
}

func TestACallThatWasBegunBeforeTheRestoreIsNotSentAgain(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	if _, _, err := b.h.DB.BeginCall(t.Context(), database.CallRow{ID: callID(g, c.Step), Run: c.Run, Request: g.Request, Step: c.Step, Action: c.Action,
		Target: g.Envelope.Calls[0].Target, Digest: inputsDigest(In{c}), StartedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := b.h.DB.MarkRestored(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrDrifted)
	b.untouched(t)
}

func TestWhatWasDoneBeforeTheBackupStaysDoneAndWhatIsAskedAfterTheRestoreRuns(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	first := b.done(t, c)
	sent := b.sent(signoff.EffectFinal)
	if err := b.h.DB.MarkRestored(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	if again := b.done(t, c); again.Summary != first.Summary || b.sent(signoff.EffectFinal) != sent || sent == 0 {
		t.Errorf("a call that the records know as done gives %+v, and %d final requests were sent", again, b.sent(signoff.EffectFinal))
	}
	later := time.Now().Add(time.Hour)
	if why, err := b.h.restoredSince(t.Context(), later); err != nil || why != "" {
		t.Errorf("a sign-off that is younger than the restore is refused: %q, %v", why, err)
	}
	if why, err := b.h.requestRestored(t.Context(), "so-unknown"); err != nil || !strings.Contains(why, "do not know this request") {
		t.Errorf("a request that the records lost: %q, %v", why, err)
	}
}
