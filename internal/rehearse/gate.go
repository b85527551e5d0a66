package rehearse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Names of this little installation.
const (
	installation = "playbook-test"
	incidentID   = "inc-test"
	runID        = "run-test"
	keyID        = "playbook-test-key"
)

// allowed is the check that no real action skips: a grant for what people signed, or policy for what may run alone.
func (s *stage) allowed(call wire.Call, card playbooks.Card, t turn) error {
	if call.Grant == nil {
		if card.Effect == signoff.EffectFinal {
			return refused(wire.ErrRefused, call.Action+" is final and came without a sign-off")
		}
		return s.alone(t)
	}
	_, ref := call.Grant.Allows(signoff.CallCheck{
		Now: s.env.Now(), World: s.world(), Installation: installation, Run: call.Run, WorkflowID: incidentID, Step: call.Step,
		Action: call.Action, CardHash: playbooks.CardHash(card), Effect: card.Effect, Inputs: call.With, Target: target(card, call.With),
		State: asShown(), Earlier: func(step, output string) (any, bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			v, ok := s.outputs[step][output]
			return v, ok
		},
	}, s.keys)
	if ref != nil {
		return refused(wire.ErrRefused, ref.Code+": "+ref.Why)
	}
	return nil
}

// alone asks the policy whether an undoable call may run without people.
func (s *stage) alone(t turn) error {
	reach := t.reach
	if reach == "" {
		reach, _ = t.values["reach"].(string)
	}
	if reach == "" {
		reach = "key"
	}
	if !s.c.alert.HasKey {
		return refused(wire.ErrNeedsSignoff, "the run has no identified key")
	}
	if ok, why := s.policy.Auto(signoff.AutoInput{Trust: s.c.alert.Trust, KeyCritical: s.c.alert.Found.Critical, KeyKnown: true, Reach: reach}); !ok {
		return refused(wire.ErrNeedsSignoff, why)
	}
	return nil
}

func asShown() map[string]string { return map[string]string{"state": "as people saw it"} }

// target names what a call changes in the words of the card: a key, a dependent, or what the input says.
func target(card playbooks.Card, with map[string]any) string {
	m, isMap := with[card.TargetInput].(map[string]any)
	switch {
	case !isMap:
		return strings.TrimSpace(fmt.Sprintf("%s %v", card.TargetInput, with[card.TargetInput]))
	case m["provider"] != nil:
		return fmt.Sprintf("%v:%v:%v (%v)", m["provider"], m["account"], m["id"], m["hint"])
	}
	return fmt.Sprintf("%v %v", m["kind"], m["id"])
}

// freeze makes a real envelope under the real policy and opens it to the scripted people.
func (s *stage) freeze(_ context.Context, ask wire.Freeze) (signoff.View, error) {
	v := signoff.View{Request: fmt.Sprintf("so-%s-%d", ask.Step, ask.Attempt), Title: ask.Title, Why: ask.Why, State: signoff.StateOpen,
		Place: ask.Place, Otherwise: ask.OtherwiseWords(), Impact: impact(ask)}
	effect := signoff.EffectUndoable
	e := &v.Envelope
	for i, p := range ask.Calls {
		card := s.cards[p.Action]
		if card.Effect == signoff.EffectFinal {
			effect = signoff.EffectFinal
		}
		c := change(card, p.With)
		e.Calls = append(e.Calls, signoff.PlannedCall{Index: i, Undo: c.Undo, After: c.After, Step: p.Step, Action: p.Action, CardHash: playbooks.CardHash(card), Effect: card.Effect,
			Inputs: p.With, Target: target(card, p.With), State: asShown()})
		v.Changes = append(v.Changes, c)
	}
	who := signoff.Parties{}
	if ask.Key != nil {
		who.KeyOwner = ask.Key.Owner
	}
	rule, err := s.policy.Rule(effect, ask.Undo, ask.Seats, who)
	if err == nil {
		err = s.fillable(rule)
		rule = s.policy.Escalate(rule, ask.Adds())
		v.Next, v.Who, v.WhoNot = ask.NextWords(rule), rule.Who(), rule.WhoNot()
		_, v.Seats = signoff.Seats(rule, nil)
	}
	if err != nil {
		return v, refused(wire.ErrPermanent, err.Error())
	}
	within := ask.Within.Std()
	if limit := s.policy.Final.Expires.Std(); limit > 0 && (within <= 0 || within > limit) {
		within = limit
	}
	e.World, e.Installation, e.Incident, e.WorkflowID, e.Run = s.world(), installation, incidentID, ask.WorkflowID, ask.Run
	e.Step, e.Attempt, e.Nonce, e.Rule = ask.Step, ask.Attempt, fmt.Sprintf("%s/%d", ask.Step, ask.Attempt), rule
	e.Playbook, e.PlaybookHash, e.PublicKeys = s.program.ID, s.program.Digest, ask.PublicKeys
	e.Issued, e.Expires = ask.At.UTC(), ask.At.UTC().Add(within)
	e.UseWithin, e.Complete = signoff.Seconds(s.policy.Final.UseWithin.Std()/time.Second), signoff.Seconds(ask.Complete.Std()/time.Second)
	if e.PolicyHash, err = s.policy.Digest(); err == nil {
		v.Digest, err = signoff.Digest(*e)
	}
	if err != nil {
		return v, refused(wire.ErrPermanent, err.Error())
	}
	v.Code = signoff.CheckCode(v.Digest)
	s.mu.Lock()
	r := &request{view: v, at: s.env.Now(), state: signoff.StateOpen}
	s.requests[v.Request] = r
	nth := s.count(ask.Step)
	s.mu.Unlock()
	s.onAsk(asking{step: ask.Step, nth: nth, request: r})
	return v, nil
}

// fillable refuses a quorum that all people of the test together cannot fill, as freezing does in earnest.
func (s *stage) fillable(rule signoff.Rule) error {
	if s.c.anybody {
		return nil
	}
	var all []signoff.Decision
	for person, groups := range s.c.people {
		all = append(all, signoff.Decision{Person: person, Groups: groups, Verb: signoff.Approve})
	}
	if filled, seats := signoff.Seats(rule, all); filled < seats {
		return fmt.Errorf("the people of this test can fill %d of %d seats; it takes %s", filled, seats, rule.Who())
	}
	return nil
}

// recheck finds people as the test says that they are.
func (s *stage) recheck(context.Context, wire.Settle) (string, error) { return "", nil }

// change is one line of before and after, as far as a card can tell without asking a provider.
func change(card playbooks.Card, with map[string]any) signoff.Change {
	c := signoff.Change{Target: target(card, with), Before: "as its provider says then", After: card.Summary}
	if card.Effect == signoff.EffectUndoable {
		c.Undo = "as its provider says then"
	}
	if card.Undo != "" {
		c.Undo = card.Undo
	}
	return c
}

// world is where the run takes place: a preview shows what production would show.
func (s *stage) world() string {
	if s.c.anybody {
		return incident.WorldProduction
	}
	return incident.WorldDrill
}

// impact is what a card tells of the key.
func impact(ask wire.Freeze) []string {
	if ask.Key == nil {
		return nil
	}
	out := []string{fmt.Sprintf("%d dependents use this key", len(ask.Key.Dependents))}
	if ask.Key.Critical {
		out = append(out, "the inventory calls this key critical")
	}
	return out
}
