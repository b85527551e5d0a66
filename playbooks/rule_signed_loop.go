package playbooks

// ruleSignedLoop: the items of a loop in a signed group are part of what is signed.
func ruleSignedLoop(s *sheet) {
	for _, n := range s.nodes {
		group := n.signed()
		if n.step.Kind != KindLoop || group == nil {
			continue
		}
		for _, r := range n.step.Loop.Over.Refs() {
			if t := s.byID[r.Step]; t != nil && t != n && t.within(group) {
				s.err("signed-loop", n.key("for_each"), "make the list before the group", "the list of loop %q is not known when people sign: step %q makes it in the same group", n.step.ID, r.Step)
			}
		}
	}
}
