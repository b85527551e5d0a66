package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/signoff"

// ruleSignoffOfNothing: people sign calls that change something. Where there are none nobody would be asked, and a reader
// would believe that somebody is.
func ruleSignoffOfNothing(s *sheet) {
	for _, n := range s.nodes {
		if n.step.Signoff != nil && !changesSomething(n) {
			s.err("signoff-of-nothing", n.key("signoff"), "take it out, or ask a question before the step", "nothing under the sign-off of %q changes anything, so nobody would be asked", n.step.ID)
		}
	}
}

// changesSomething reports whether a step is, or holds, a call that can be signed; an action that is not known may be one.
func changesSomething(n *node) bool {
	if n.step.Kind == KindAction && (!n.known || effectIsFinal(n.card.Effect) || n.card.Effect == signoff.EffectUndoable) {
		return true
	}
	for _, kid := range n.kids {
		if changesSomething(kid) {
			return true
		}
	}
	return false
}
