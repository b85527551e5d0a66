package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/signoff"

// ruleFinalSignoff: nothing that cannot be undone happens without people.
func ruleFinalSignoff(s *sheet) {
	for _, n := range s.nodes {
		if n.known && n.card.Effect == signoff.EffectFinal && n.signed() == nil {
			s.err("final-without-signoff", n.key("uses"), "add signoff: to the step or to a group around it", "%s cannot be undone, and nobody signs for it", n.step.Action.Uses)
		}
	}
}
