package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/signoff"

// ruleEvidence warns when something final happens before anything was looked at: people then sign without evidence.
func ruleEvidence(s *sheet) {
	looked := false
	for _, n := range s.nodes {
		switch {
		case !n.known:
		case n.card.Effect == signoff.EffectObserve:
			looked = true
		case n.card.Effect == signoff.EffectFinal && !looked:
			s.warn("no-evidence", n.key("uses"), "usage.snapshot or persistence.scan before it", "%s comes before any evidence is taken", n.step.Action.Uses)
			return
		}
	}
}
