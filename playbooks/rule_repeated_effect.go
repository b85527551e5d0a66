package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/signoff"

// ruleRepeatedEffect: until calls the action again and again, so it is for actions that only look; and a final action
// has one attempt, because a second could be a second effect.
func ruleRepeatedEffect(s *sheet) {
	for _, n := range s.nodes {
		if !n.known {
			continue
		}
		if _, ok := n.keys["until"]; ok && n.card.Effect != signoff.EffectObserve {
			s.err("repeated-effect", n.key("until"), "repeat a step that looks, behind this one", "until would call %s again and again, and it is %s", n.step.Action.Uses, n.card.Effect)
		}
		if _, both := n.keys["until"]; both {
			if _, ok := n.keys["retry"]; ok {
				s.err("repeated-effect", n.key("retry"), "take retry out: until asks again at every, errors included, until within", "retry has no effect beside until")
			}
		}
		if _, ok := n.keys["retry"]; ok && n.card.Effect == signoff.EffectFinal {
			s.err("repeated-effect", n.key("retry"), "on_error: ask lets a person decide", "%s is final and has one attempt", n.step.Action.Uses)
		}
	}
}
