package playbooks

import "slices"

// ruleAction refuses actions that do not exist.
func ruleAction(s *sheet) {
	var known []string
	for name := range s.w.Actions {
		known = append(known, name)
	}
	slices.Sort(known)
	for _, n := range s.nodes {
		if n.step.Kind == KindAction && !n.known {
			s.err("unknown-action", n.key("uses"), guess(n.step.Action.Uses, known), "there is no action %q", crop(n.step.Action.Uses))
		}
	}
}
