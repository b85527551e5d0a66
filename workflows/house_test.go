package workflows_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// fake is what an action does in a test.
type fake func(wire.Call) (wire.Result, error)

// done is one call that reached an action, with the time at which it did and whether it came through.
type done struct {
	wire.Call
	when  time.Time
	ok    bool
	limit time.Duration // of this attempt
}

// house plays everything outside the workflow: actions, people's surfaces and records. It opens calls that change
// something only to a grant that signoff.Grant.Allows lets through, as the real actions do.
type house struct {
	mu        sync.Mutex
	now       func() time.Time // of whatever plays the run
	cards     playbooks.Catalog
	policy    signoff.Policy
	priv      ed25519.PrivateKey
	keys      map[string]string
	auto      bool            // policy automates undoable calls
	fakes     map[string]fake // by action, or "step:<path>"
	tamper    func(*signoff.View)
	closing   func(wire.Close) wire.Closed
	micro     int64 // money burnt
	calls     []done
	freezes   []wire.Freeze
	views     []signoff.View
	voids     []wire.Void
	rechecks  []wire.Settle
	people    func(nth int) (string, error) // what a look at the people says; nil: they are as they were
	asked     []wire.Settle
	settled   []wire.Settle
	reminded  []wire.Remind
	questions []wire.Question
	answered  []wire.Question
	previews  []wire.PreviewAsk
	batches   []wire.Batch
	closes    []wire.Close
	outputs   map[string]map[string]any
	open      int // messages to people that were sent and have not arrived
	onRequest func(step string, nth int, v signoff.View)
	onAsk     func(step string, nth int, q wire.Question)
}

func newHouse(now func() time.Time) *house {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	h := &house{
		now: now, cards: activities.Catalog(), policy: signoff.DefaultPolicy(), priv: priv, auto: true,
		keys: map[string]string{"k1": base64.StdEncoding.EncodeToString(pub)}, fakes: map[string]fake{}, outputs: map[string]map[string]any{},
	}
	h.fakes["key.identify"] = func(wire.Call) (wire.Result, error) { return result("key", testKey()), nil }
	return h
}

// verbs are the activities that a run may call, by name.
func (h *house) verbs() map[string]any {
	all := map[string]any{
		wire.FreezeSignoff: h.freeze, wire.OpenQuestion: h.openQuestion, wire.Burn: h.burn, wire.CloseRun: h.closeRun,
		wire.AskSignoff: keep(h, &h.asked), wire.SettleSignoff: keep(h, &h.settled), wire.RemindSignoff: keep(h, &h.reminded),
		wire.VoidRun: keep(h, &h.voids), wire.RecheckSignoff: h.recheck, wire.SettleQuestion: keep(h, &h.answered), wire.Record: keep(h, &h.batches), wire.Preview: keep(h, &h.previews),
	}
	for name := range h.cards {
		all[name] = h.execute
	}
	return all
}

// keep is a house activity that only writes down that it was called.
func keep[T any](h *house, into *[]T) func(context.Context, T) error {
	return func(_ context.Context, v T) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		*into = append(*into, v)
		switch any(v).(type) {
		case wire.Settle, wire.Remind, wire.Question, wire.PreviewAsk:
			h.open--
		}
		return nil
	}
}

// expect counts a message that the run sends without waiting for it; quiet waits for those that are still on their way.
func (h *house) expect(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch name {
	case wire.AskSignoff, wire.SettleSignoff, wire.RemindSignoff, wire.SettleQuestion, wire.Preview:
		h.open++
	}
}

func (h *house) quiet(t tester) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-look.C {
		h.mu.Lock()
		open := h.open
		h.mu.Unlock()
		if open == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages to people never arrived", open)
		}
	}
}

func refused(kind, why string) error { return temporal.NewNonRetryableApplicationError(why, kind, nil) }

// broken is an error that a retry may mend.
func broken(why string) error { return temporal.NewApplicationError(why, "unavailable") }

func result(pairs ...any) wire.Result {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return wire.Result{Outputs: out}
}

func (h *house) execute(ctx context.Context, call wire.Call) (wire.Result, error) {
	card := h.cards[call.Action]
	changes := card.Effect == signoff.EffectUndoable || card.Effect == signoff.EffectFinal
	if changes && (call.Grant != nil || card.Effect == signoff.EffectFinal || !h.auto) {
		if err := h.allowed(call, card); err != nil {
			h.note(ctx, call, false)
			return wire.Result{}, err
		}
	}
	res, err := h.play(call, card)
	if err == nil && call.Until != "" {
		if ok, bad := playbooks.Eval(call.Until, map[string]any{"result": res.Outputs}, h.now()); bad != nil || ok != true {
			err = temporal.NewApplicationError("not yet", wire.ErrNotYet)
		}
	}
	h.note(ctx, call, err == nil)
	if err == nil {
		h.mu.Lock()
		h.outputs[call.Step] = res.Outputs
		h.mu.Unlock()
	}
	return res, err
}

func (h *house) play(call wire.Call, card playbooks.Card) (wire.Result, error) {
	h.mu.Lock()
	f, ok := h.fakes["step:"+call.Step]
	if !ok {
		f, ok = h.fakes[call.Action]
	}
	h.mu.Unlock()
	if ok {
		return f(call)
	}
	res := wire.Result{Outputs: map[string]any{}}
	for k, v := range card.Example {
		res.Outputs[k] = v
	}
	if card.Effect == signoff.EffectUndoable {
		res.Undo = card.Undo
	}
	return res, nil
}

func (h *house) note(ctx context.Context, call wire.Call, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, done{call, h.now(), ok, activity.GetInfo(ctx).StartToCloseTimeout})
}

func (h *house) openQuestion(_ context.Context, q wire.Question) error {
	h.mu.Lock()
	h.questions = append(h.questions, q)
	nth := 0
	for _, other := range h.questions {
		if other.Step == q.Step {
			nth++
		}
	}
	h.mu.Unlock()
	h.onAsk(q.Step, nth, q)
	return nil
}

func (h *house) recheck(_ context.Context, s wire.Settle) (string, error) {
	h.mu.Lock()
	h.rechecks = append(h.rechecks, s)
	nth, people := len(h.rechecks), h.people
	h.mu.Unlock()
	if people == nil {
		return "", nil
	}
	return people(nth)
}

func (h *house) burn(context.Context, wire.BurnAsk) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.micro, nil
}

// spend sets the money burnt.
func (h *house) spend(micro int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.micro = micro
}

func (h *house) closeRun(_ context.Context, c wire.Close) (wire.Closed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closes = append(h.closes, c)
	if h.closing != nil {
		return h.closing(c), nil
	}
	return wire.Closed{}, nil
}

// steps are the paths that came through, in order, without identify.
func (h *house) steps() string {
	var out []string
	for _, c := range h.calls {
		if c.ok && c.Action != "key.identify" {
			out = append(out, c.Step)
		}
	}
	return strings.Join(out, " ")
}

// tries of one step, whether they came through or not.
func (h *house) tries(step string) []done {
	var out []done
	for _, c := range h.calls {
		if c.Step == step {
			out = append(out, c)
		}
	}
	return out
}

// status is the last status that the run wrote down for a step that is not a plain call.
func (h *house) status(path string) string {
	got := ""
	for _, b := range h.batches {
		for _, s := range b.Steps {
			if s.Path == path {
				got = s.Status
			}
		}
	}
	return got
}

// events are the kinds that the run wrote down.
func (h *house) events(kind string) (n int) {
	for _, b := range h.batches {
		n += len(slices.DeleteFunc(slices.Clone(b.Events), func(e wire.Event) bool { return e.Kind != kind }))
	}
	return n
}
