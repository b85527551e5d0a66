package playbooks

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func (s *sheet) readAction(x *node, e entry) {
	if x.step.Action == nil {
		x.step.Action = &Action{OnError: OnErrorAsk}
	}
	a := x.step.Action
	switch e.name {
	case "uses":
		a.Uses = s.word(e.val, "uses")
	case "timeout":
		a.Timeout = s.duration(e.val, "timeout")
	case "until":
		a.Until = s.condition(e.val, "until", x)
	case "every":
		a.Every = s.duration(e.val, "every")
	case "within":
		a.Within = s.duration(e.val, "within")
	case "on_error":
		a.OnError = s.oneOf(e.val, "on_error", []string{OnErrorAsk, OnErrorContinue, OnErrorStop})
	case "retry":
		a.Retry = s.readRetry(e.val)
	}
}

func (s *sheet) readRetry(n *yaml.Node) Retry {
	var r Retry
	for _, e := range s.keysOf(n, "retry") {
		switch e.name {
		case "attempts":
			r.Attempts = s.number(e.val, "attempts", 1, 100)
		case "first":
			r.First = s.duration(e.val, "first")
		case "max":
			r.Max = s.duration(e.val, "max")
		case "factor":
			r.Factor = float64(s.number(e.val, "factor", 1, 10))
		}
	}
	return r
}

// fromCard copies what the card says, so that a later card cannot change an open run.
func (s *sheet) fromCard(x *node) {
	a := x.step.Action
	if a == nil {
		a = &Action{OnError: OnErrorAsk}
		x.step.Action = a
	}
	a.With, x.step.With = x.step.With, nil
	card, ok := s.w.Actions[a.Uses]
	x.card, x.known = card, ok
	if !ok {
		return
	}
	a.Effect, a.CardHash, a.Local = card.Effect, s.cardHash(card), card.Local
	if a.Timeout == 0 {
		a.Timeout = Dur(30 * time.Second)
		if d, err := ParseDuration(card.Timeout); err == nil && d > 0 {
			a.Timeout = Dur(d)
		}
	}
	a.Retry = a.Retry.or(card)
	for _, f := range card.Outputs {
		if f.Type == TypeTime {
			a.Times = append(a.Times, f.Name)
		}
	}
}

// or fills in what the author left out.
func (r Retry) or(card Card) Retry {
	if r.Attempts == 0 {
		r.Attempts = max(card.Attempts, 1)
	}
	if card.Effect == signoff.EffectFinal {
		r.Attempts = 1 // a second attempt could be a second effect
	}
	if r.First == 0 {
		r.First = Dur(time.Second)
	}
	if r.Factor == 0 {
		r.Factor = 2
	}
	if r.Max == 0 {
		r.Max = Dur(30 * time.Second)
	}
	return r
}

// cardHash is the digest of a card, computed once for all steps that use it.
func (s *sheet) cardHash(card Card) string {
	if s.budget.hashes == nil {
		s.budget.hashes = map[string]string{}
	}
	hash, ok := s.budget.hashes[card.Name]
	if !ok {
		hash = CardHash(card)
		s.budget.hashes[card.Name] = hash
	}
	return hash
}
