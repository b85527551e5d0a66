package rehearse

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// called is one call that reached an action.
type called struct {
	step, action string
	at           time.Time
	came         bool // it came through
}

// request is a sign-off as people were asked, with what became of it.
type request struct {
	view    signoff.View
	at      time.Time
	counted []signoff.Decision
	state   string
}

// stage plays everything outside the workflow: actions, people's surfaces and records. It opens calls that change
// something only to a grant that signoff.Grant.Allows lets through, or to policy, as the real actions do.
type stage struct {
	env     *testsuite.TestWorkflowEnvironment
	c       *Case
	program *playbooks.Program
	cards   playbooks.Catalog
	policy  signoff.Policy
	priv    ed25519.PrivateKey
	keys    map[string]string
	cast    cast

	mu        sync.Mutex
	over      bool // the run has ended: what still arrives is not written down
	calls     []called
	requests  map[string]*request
	questions map[string]wire.Question // open ones
	asked     map[string]int           // how often a step asked, by path and by id
	askedAt   map[string]bool          // every step that asked people anything, by path
	batches   []wire.Batch
	closes    []wire.Close
	outputs   map[string]map[string]any
	onAsk     func(a asking)
}

// asking is one moment in which people are asked.
type asking struct {
	step     string
	nth      map[string]int // by path and by id
	request  *request       // a sign-off
	question *wire.Question // or a question
}

func (s *stage) register() {
	for name, fn := range s.verbs() {
		s.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}

// verbs are the activities that a workflow may call, by name.
func (s *stage) verbs() map[string]any {
	all := map[string]any{
		wire.FreezeSignoff: s.freeze, wire.OpenQuestion: s.openQuestion, wire.SettleQuestion: s.settleQuestion,
		wire.Record: s.record, wire.CloseRun: s.closeRun, wire.Burn: s.burn, wire.RecheckSignoff: s.recheck, wire.SettleSignoff: s.settleSignoff,
		wire.AskSignoff: nothing[wire.Settle], wire.RemindSignoff: nothing[wire.Remind], wire.Preview: nothing[wire.PreviewAsk], wire.VoidRun: nothing[wire.Void],
	}
	for name := range s.cards {
		all[name] = s.execute
	}
	return all
}

// nothing is a message to people that nobody looks at here.
func nothing[T any](context.Context, T) error { return nil }

func refused(kind, why string) error { return temporal.NewNonRetryableApplicationError(why, kind, nil) }

// execute is what every action is here.
func (s *stage) execute(_ context.Context, call wire.Call) (wire.Result, error) {
	card := s.cards[call.Action]
	t := s.answer(call, card)
	if (card.Effect == signoff.EffectUndoable || card.Effect == signoff.EffectFinal) && (t.idle == "" || call.Grant != nil) {
		if err := s.allowed(call, card, t); err != nil {
			return wire.Result{}, err
		}
	}
	res, err := s.play(call, card, t)
	s.note(call, err == nil, res)
	return res, err
}

// answer is the mock's next turn, or the card's example.
func (s *stage) answer(call wire.Call, card playbooks.Card) turn {
	if t, ok := s.cast.play(call.Action, call.Step); ok {
		return t
	}
	if call.Action == "key.identify" {
		return turn{values: map[string]any{"key": s.c.alert.Found}}
	}
	return turn{values: card.Example}
}

func (s *stage) play(call wire.Call, card playbooks.Card, t turn) (wire.Result, error) {
	switch {
	case t.fails != "":
		return wire.Result{}, refused(wire.ErrPermanent, t.fails)
	case t.breaks != "":
		return wire.Result{}, temporal.NewApplicationError(t.breaks, "retryable")
	}
	res := wire.Result{Outputs: maps.Clone(t.values)}
	if res.Outputs == nil {
		res.Outputs = map[string]any{}
	}
	if card.Effect == signoff.EffectUndoable && t.idle == "" {
		res.Undo = card.Undo
	}
	res.UsedUp = s.usedUp(call, card)
	if call.Until != "" {
		ok, err := playbooks.Eval(call.Until, map[string]any{"result": res.Outputs}, s.env.Now())
		if err != nil {
			return res, refused(wire.ErrPermanent, "until: "+err.Error())
		}
		if ok != true {
			return res, temporal.NewApplicationError("not yet", wire.ErrNotYet)
		}
	}
	return res, nil
}

// usedUp are the steps whose making this call hands on: what somebody uses is not taken back.
func (s *stage) usedUp(call wire.Call, card playbooks.Card) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range card.Reads {
		for _, c := range s.calls {
			if of := s.cards[c.action]; c.came && of.Effect == signoff.EffectUndoable && of.Undo != "" && alike(s.outputs[c.step][name], call.With[name]) {
				out = append(out, c.step)
			}
		}
	}
	return out
}

// alike compares two values as they travel.
func alike(a, b any) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return a != nil && err == nil && err2 == nil && bytes.Equal(x, y)
}

func (s *stage) note(call wire.Call, came bool, res wire.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.calls = append(s.calls, called{call.Step, call.Action, s.env.Now(), came})
	if came {
		s.outputs[call.Step] = res.Outputs
	}
}

func (s *stage) record(_ context.Context, b wire.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, b)
	return nil
}

func (s *stage) closeRun(_ context.Context, c wire.Close) (wire.Closed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closes = append(s.closes, c)
	return wire.Closed{}, nil
}

// burn is the money that the mocks' last usage tells: escalations follow it.
func (s *stage) burn(context.Context, wire.BurnAsk) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.calls) {
		if usd, ok := s.outputs[c.step]["cost_usd"].(float64); ok && c.came {
			return int64(usd * 1e6), nil
		}
	}
	return 0, nil
}

func (s *stage) openQuestion(_ context.Context, q wire.Question) error {
	s.mu.Lock()
	s.questions[q.ID] = q
	nth := s.count(q.Step)
	s.mu.Unlock()
	s.onAsk(asking{step: q.Step, nth: nth, question: &q})
	return nil
}

func (s *stage) settleQuestion(_ context.Context, q wire.Question) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.questions, q.ID)
	return nil
}

func (s *stage) settleSignoff(_ context.Context, t wire.Settle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests[t.Request]; r != nil && !s.over {
		r.state, r.counted = t.State, t.Decisions
	}
	return nil
}

// count notes that a step asks; the caller holds the lock.
func (s *stage) count(path string) map[string]int {
	s.askedAt[path] = true
	s.asked[path]++
	nth := map[string]int{path: s.asked[path]}
	if id := idOf(path); id != path {
		s.asked["id:"+id]++
		nth[id] = s.asked["id:"+id]
	}
	return nth
}

// waiting says what an unfinished run waits for.
func (s *stage) waiting() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.questions)) {
		q := s.questions[id]
		return fmt.Sprintf("step %q waits for an answer: %s", q.Step, cut(q.Prompt))
	}
	return "nothing that people could do"
}
