package workflows_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// allowed is the check that no real action skips.
func (h *house) allowed(call wire.Call, card playbooks.Card) error {
	if call.Grant == nil {
		if card.Effect == signoff.EffectFinal {
			return refused(wire.ErrRefused, "final and without a sign-off")
		}
		return refused(wire.ErrNeedsSignoff, "policy does not automate this")
	}
	_, ref := call.Grant.Allows(signoff.CallCheck{
		Now: h.now(), World: incident.WorldDrill, Installation: "test", Run: call.Run, WorkflowID: workflowID, Step: call.Step,
		Action: call.Action, CardHash: playbooks.CardHash(card), Effect: card.Effect, Inputs: call.With, Target: target(call.Action, call.With),
		State: map[string]string{"state": "as shown"}, Earlier: func(step, output string) (any, bool) {
			h.mu.Lock()
			defer h.mu.Unlock()
			v, ok := h.outputs[step][output]
			return v, ok
		},
	}, h.keys)
	if ref != nil {
		return refused(wire.ErrRefused, ref.Code+": "+ref.Why)
	}
	return nil
}

func target(action string, with map[string]any) string { return fmt.Sprint(action, with["key"] != nil) }

// freeze makes a real envelope under the real policy.
func (h *house) freeze(_ context.Context, ask wire.Freeze) (signoff.View, error) {
	h.mu.Lock()
	h.freezes = append(h.freezes, ask)
	h.mu.Unlock()
	effect := signoff.EffectUndoable
	v := signoff.View{Request: fmt.Sprintf("so-%s-%d", ask.Step, ask.Attempt), Title: ask.Title, State: signoff.StateOpen}
	e := &v.Envelope
	for i, p := range ask.Calls {
		card := h.cards[p.Action]
		if card.Effect == signoff.EffectFinal {
			effect = signoff.EffectFinal
		}
		e.Calls = append(e.Calls, signoff.PlannedCall{Index: i, Step: p.Step, Action: p.Action, CardHash: playbooks.CardHash(card), Effect: card.Effect,
			Inputs: p.With, Target: target(p.Action, p.With), State: map[string]string{"state": "as shown"}})
	}
	who := signoff.Parties{}
	if ask.Key != nil {
		who.KeyOwner = ask.Key.Owner
	}
	rule, err := h.policy.Rule(effect, ask.Undo, ask.Seats, who)
	if err != nil {
		return v, refused(wire.ErrPermanent, err.Error())
	}
	rule = h.policy.Escalate(rule, ask.Adds())
	within := ask.Within.Std()
	if limit := h.policy.Final.Expires.Std(); within <= 0 || within > limit {
		within = limit
	}
	e.World, e.Installation, e.Incident, e.WorkflowID, e.Run = incident.WorldDrill, "test", "inc-1", ask.WorkflowID, ask.Run
	e.Step, e.Attempt, e.Nonce, e.Rule = ask.Step, ask.Attempt, fmt.Sprintf("%s/%d", ask.Step, ask.Attempt), rule
	e.Playbook, e.PlaybookHash, e.PolicyHash, e.PublicKeys = "p", "sha256:p", "sha256:q", ask.PublicKeys
	e.Issued, e.Expires = ask.At, ask.At.Add(within)
	e.UseWithin, e.Complete = 600, signoff.Seconds(ask.Complete.Std()/time.Second)
	if v.Digest, err = signoff.Digest(*e); err != nil {
		return v, refused(wire.ErrPermanent, err.Error())
	}
	if h.tamper != nil {
		h.tamper(&v)
	}
	h.mu.Lock()
	h.views = append(h.views, v)
	nth := 0
	for _, other := range h.views {
		if other.Envelope.Step == ask.Step {
			nth++
		}
	}
	h.mu.Unlock()
	h.onRequest(ask.Step, nth, v)
	return v, nil
}
