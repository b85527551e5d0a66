package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/signoff"

// ruleSections: on_failure and finally run when something went wrong or people said no: they look and tell, no more.
func ruleSections(s *sheet) {
	const rule = "after-the-end"
	for _, n := range s.nodes {
		if n.section == SectionSteps {
			continue
		}
		if n.step.Signoff != nil {
			s.err(rule, n.key("signoff"), "", "%s asks for no sign-off", n.section)
		}
		if e := n.card.Effect; n.known && (e == signoff.EffectUndoable || e == signoff.EffectFinal) {
			s.err(rule, n.key("uses"), "only observe and notify actions", "%s is %s, and %s changes nothing", n.step.Action.Uses, e, n.section)
		}
		switch n.step.Kind {
		case KindAsk, KindWait, KindPlaybook, KindEnd:
			s.err(rule, n.at, "", "%q cannot stand in %s", kindKey(n.step.Kind), n.section)
		}
	}
}
