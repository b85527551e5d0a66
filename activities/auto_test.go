package activities

import (
	"maps"
	"net/http"
	"net/http/httptest"
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

func TestAnUndoableCallCommitsItsWayBackFirst(t *testing.T) {
	t.Parallel()
	b := build(t)
	was := must(b.h.Providers[0].State(t.Context(), "contain", b.key))(t)
	committed := 0
	// The undo record is looked for at the moment in which the provider is asked to change the key.
	google := b.world.Google()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			rows, err := b.h.DB.Undos(r.Context(), "run-1")
			if err == nil && len(rows) == 1 && rows[0].Action == "key.restore" && string(rows[0].Undo) == string(was.Undo) && rows[0].Left == nil {
				committed++
			}
		}
		google.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.h.Providers = []Account{{"main", account(t, server.URL, b.world.AdminToken())}}

	res := b.done(t, b.call("key.contain", "key", nil))
	if committed != 1 || res.Undo != "key.restore" {
		t.Fatalf("the way back was committed before %d calls; the result is %+v", committed, res)
	}
	now := must(b.h.Providers[0].State(t.Context(), "contain", b.key))(t)
	rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t)
	if !now.Done || rows[0].Left["restrictions"] != now.Fields["restrictions"] {
		t.Fatalf("the key is %+v and the record says we left %v", now, rows[0].Left)
	}

	b.done(t, b.call("key.contain", "key", nil)) // a repeat must not record the contained state as the way back
	if rows = must(b.h.DB.Undos(t.Context(), "run-1"))(t); len(rows) != 1 || string(rows[0].Undo) != string(was.Undo) {
		t.Fatalf("after a repeat the way back is %+v", rows)
	}
}

func TestWithoutOurOwnRecordsNothingIsCalled(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.contain", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	if err := b.h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.do(t, c); err == nil {
		t.Fatal("the call succeeded without a database")
	}
	b.untouched(t)
}

func TestPolicyHoldAndTheAutomaticLimitAskPeople(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrange func(t *testing.T, b *bench)
		why     string
	}{
		"policy: the source may only tell": {func(t *testing.T, b *bench) {
			change(t, b, func(r *incident.Run) { r.Trust = "tell" })
		}, "trust"},
		"policy: the key is critical": {func(t *testing.T, b *bench) {
			b.key.Critical = true
			change(t, b, func(r *incident.Run) { r.Key = &b.key })
		}, "auto_if"},
		"policy: the key is not identified": {func(t *testing.T, b *bench) {
			change(t, b, func(r *incident.Run) { r.Key = nil })
		}, "no identified key"},
		"hold": {func(t *testing.T, b *bench) {
			if err := b.h.DB.SetHold(t.Context(), true, "ann", "we look first"); err != nil {
				t.Fatal(err)
			}
		}, "on hold since ann said: we look first"},
		"limit": {func(t *testing.T, b *bench) {
			b.h.Policy.AutoLimit = signoff.AutoLimit{Runs: 1, Per: signoff.Duration(time.Hour)}
			must(b.h.DB.ClaimAuto(t.Context(), "run-0", time.Now(), 1, time.Hour))(t)
		}, "more than 1 runs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			c.arrange(t, b)
			_, err := b.do(t, b.call("key.contain", "key", nil))
			refused(t, err, wire.ErrNeedsSignoff)
			if !strings.Contains(err.Error(), c.why) {
				t.Errorf("the reason is %q, want one with %q", err, c.why)
			}
			b.untouched(t)
		})
	}
}

func change(t *testing.T, b *bench, how func(*incident.Run)) {
	t.Helper()
	if err := b.h.DB.UpdateRun(t.Context(), "run-1", how); err != nil {
		t.Fatal(err)
	}
}

func TestRestorePutsBackAndRefusesWhenTheTargetChanged(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]bool{"as we left it": false, "changed by somebody": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			p := b.h.Providers[0]
			was := must(p.State(t.Context(), "contain", b.key))(t)
			b.done(t, b.call("key.contain", "key", nil))
			c := b.call("key.restore", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			c.Grant = &g
			if meddle {
				b.meddle(t)
			}
			before := b.sent(sandbox.EffectUndoable)
			_, err := b.do(t, c)
			now := must(p.State(t.Context(), "contain", b.key))(t)
			if meddle {
				refused(t, err, wire.ErrPermanent)
				if b.sent(sandbox.EffectUndoable) != before {
					t.Error("somebody's change was overwritten")
				}
				return
			}
			rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t)
			if err != nil || now.Fields["restrictions"] != was.Fields["restrictions"] || rows[0].UndoneAt.IsZero() {
				t.Errorf("restored with %v: %v, was %v, record %+v", err, now.Fields, was.Fields, rows)
			}
		})
	}
}

// meddle changes the key at its provider as somebody else might.
func (b *bench) meddle(t *testing.T) {
	t.Helper()
	other := []byte(`{"restrictions":{"apiTargets":[{"service":"translate.googleapis.com"}]}}`)
	must(b.h.Providers[0].Restore(t.Context(), b.key, other))(t)
}

func TestWhatAnEndedRunLeftInForceIsTakenBackByALaterOneUnderASignoff(t *testing.T) {
	t.Parallel()
	b := build(t)
	was := must(b.h.Providers[0].State(t.Context(), keys.OpContain, b.key))(t)
	b.done(t, b.call("key.contain", "key", nil))
	b.run(t, "run-2", incident.ModeEnforce)
	c := b.call("key.restore", "key", nil)
	c.Run, c.Incident = "run-2", "inc-run-2"
	if _, err := keyRestore().DryRun(t.Context(), b.h, In{c}); err == nil || !strings.Contains(err.Error(), "has not ended") {
		t.Errorf("what a running run holds is taken from it: %v", err)
	}
	if err := b.h.DB.Keep(t.Context(), "run-1", database.Kept{Change: func(r *incident.Run) { r.State = "done" }}); err != nil {
		t.Fatal(err)
	}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrRefused)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.done(t, c)
	if now := must(b.h.Providers[0].State(t.Context(), keys.OpContain, b.key))(t); !maps.Equal(now.Fields, was.Fields) {
		t.Errorf("the key is %v, it was %v", now.Fields, was.Fields)
	}
	changed := b.sent(sandbox.EffectUndoable)
	if e, err := keyRestore().DryRun(t.Context(), b.h, In{c}); err != nil || !e.Done { // as after a lost answer
		t.Errorf("a look again under the grant says %+v, %v", e, err)
	}
	if n := b.sent(sandbox.EffectUndoable); n != changed {
		t.Errorf("a look changed something")
	}
	if row := b.row(t, "respond/key.contain"); row.UndoneAt.IsZero() {
		t.Errorf("the first run still says that it is in force: %+v", row)
	}
	other := b.call("key.restore", "key", nil)
	other.Run = "run-2"
	if _, err := keyRestore().DryRun(t.Context(), b.h, In{other}); err == nil || !strings.Contains(err.Error(), "undo record in force") {
		t.Errorf("it is taken back twice: %v", err)
	}
}
