package playbooks

import (
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// ruleKnownTarget: what a final action changes is known when people are asked, so it may not be the output of a step
// in the same signed group. The card names the inputs that may (Reads).
func ruleKnownTarget(s *sheet) {
	for _, n := range s.nodes {
		group := n.signed()
		if !n.known || n.card.Effect != signoff.EffectFinal || group == nil {
			continue
		}
		for name, g := range n.inputs {
			if slices.Contains(n.card.Reads, name) {
				continue
			}
			for _, r := range g.value.Refs() {
				if t := s.byID[r.Step]; t != nil && t != n && t.within(group) {
					s.err("unknown-target", g.at, "make it before the group", "the input %q of %s is not known when people sign: step %q makes it in the same group", name, n.step.Action.Uses, r.Step)
				}
			}
		}
	}
}
