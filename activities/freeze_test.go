package activities

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// asks is a request as a workflow of ours makes it.
func (b *bench) asks(calls ...wire.Planned) wire.Freeze {
	return wire.Freeze{
		Run: "run-1", Step: "respond", Attempt: 1, Title: "Sign-off", Within: playbooks.Dur(time.Hour), Complete: playbooks.Dur(time.Hour),
		Calls: calls, At: time.Now(), WorkflowID: testWorkflow, PublicKeys: b.signer.PublicKeys(),
	}
}

func (b *bench) planned(action, input string) wire.Planned {
	return wire.Planned{Step: "respond/" + action, Action: action, With: map[string]any{input: b.key}}
}

func (b *bench) freeze(t *testing.T, ask wire.Freeze) (v signoff.View, err error) {
	t.Helper()
	got, err := b.env.ExecuteActivity(wire.FreezeSignoff, ask)
	if err == nil {
		err = got.Get(&v)
	}
	return v, err
}

func TestARequestThatNoRunOfOursMakesIsNotFrozen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind string
		bend func(t *testing.T, b *bench, ask *wire.Freeze)
	}{
		"another workflow":   {wire.ErrRefused, func(_ *testing.T, _ *bench, ask *wire.Freeze) { ask.WorkflowID = "evil" }},
		"no public keys":     {wire.ErrRefused, func(_ *testing.T, _ *bench, ask *wire.Freeze) { ask.PublicKeys = nil }},
		"keys of one's own":  {wire.ErrRefused, func(t *testing.T, b *bench, ask *wire.Freeze) { ask.PublicKeys = thief(t, b).PublicKeys() }},
		"another execution":  {wire.ErrRefused, func(t *testing.T, b *bench, _ *wire.Freeze) { b.started2(t, "another") }},
		"no such run":        {wire.ErrRefused, func(_ *testing.T, _ *bench, ask *wire.Freeze) { ask.Run = "run-9" }},
		"an undo of nothing": {wire.ErrRefused, func(_ *testing.T, _ *bench, ask *wire.Freeze) { ask.Undo = true }},
		"a target that does not exist yet": {wire.ErrPermanent, func(_ *testing.T, _ *bench, ask *wire.Freeze) {
			ask.Calls[0].With = map[string]any{"key": map[string]any{signoff.LaterKey: map[string]any{"step": "fresh", "output": "key"}}}
		}},
		"more seats than people": {wire.ErrPermanent, func(_ *testing.T, _ *bench, ask *wire.Freeze) {
			ask.Seats = []signoff.Seat{{Group: "secops", Count: 2}, {Named: signoff.PartKeyOwner, Else: "secops", Count: 1}, {Group: "lead", Count: 1}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			ask := b.asks(b.planned("key.revoke", "key"))
			c.bend(t, b, &ask)
			_, err := b.freeze(t, ask)
			refused(t, err, c.kind)
			if views := must(b.h.DB.Requests(t.Context(), "", false))(t); len(views) != 0 {
				t.Errorf("it was frozen all the same: %+v", views)
			}
		})
	}
}

// started2 says that another execution was started for the run.
func (b *bench) started2(t *testing.T, execution string) {
	t.Helper()
	if err := b.h.DB.PutSetting(t.Context(), wire.ExecutionOf("run-1"), execution); err != nil {
		t.Fatal(err)
	}
}

// owned is an inventory that knows who owns which key, whatever a caller says.
type owned map[string]string

func (o owned) Enrich(k incident.Key) incident.Key {
	k.Owner, k.Critical = o[k.ID], o[k.ID] == "critical"
	return k
}

func TestTheOwnerOfEveryKeyThatACallIsAboutIsExcluded(t *testing.T) {
	t.Parallel()
	b := build(t)
	other := b.asKey(b.world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "other"}))
	b.h.Inventory = owned{b.key.ID: "ann", other.ID: "dan"}
	second := b.planned("key.revoke", "key")
	lie := other
	lie.Owner = "nobody"
	second.Step, second.With = "respond/second", map[string]any{"key": lie}
	b.crowd.members = append(b.crowd.members, "dan", "eve")
	v, err := b.freeze(t, b.asks(b.planned("key.revoke", "key"), second))
	if err != nil || !slices.Equal(v.Envelope.Rule.Excluded, []string{"ann", "dan"}) {
		t.Errorf("excluded are %v, %v", v.Envelope.Rule.Excluded, err)
	}
}

func TestWhoIsAskedAnewReadsWhyAndWhatIsDone(t *testing.T) {
	t.Parallel()
	b := build(t)
	for step, state := range map[string]string{"respond/one": database.CallDone, "respond/two": database.CallFailed, "respond/three": "", "other/one": database.CallDone} {
		row, _, err := b.h.DB.BeginCall(t.Context(), database.CallRow{ID: step, Run: "run-1", Request: "so-before", Step: step, Action: "key.revoke", Target: "the target of " + step, StartedAt: time.Now()})
		if err == nil && state != "" {
			err = b.h.DB.FinishCall(t.Context(), row.ID, state, []byte(`{}`))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ask := b.asks(b.planned("key.revoke", "key"))
	ask.Attempt, ask.Again = 2, "the target changed"
	v, err := b.freeze(t, ask)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(v.Impact, "\n")
	for _, want := range []string{"asked anew, because the target changed", "done already: key.revoke on the target of respond/one", "failed before: key.revoke on the target of respond/two",
		"outcome unknown: key.revoke on the target of respond/three", "remaining: the 1 calls"} {
		if !strings.Contains(text, want) {
			t.Errorf("the card lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "other/one") {
		t.Errorf("the card tells of another sign-off's call:\n%s", text)
	}
}

func TestOnlyTheRunsOwnKeyIsContainedByItself(t *testing.T) {
	t.Parallel()
	b := build(t)
	other := b.asKey(b.world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "other"}))
	c := b.call("key.contain", "key", nil)
	c.With = map[string]any{"key": other}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrNeedsSignoff)
	b.h.Inventory = owned{b.key.ID: "critical"} // and what the run's record says of it does not count either
	_, err = b.do(t, b.call("key.contain", "key", nil))
	refused(t, err, wire.ErrNeedsSignoff)
	b.untouched(t)
}
