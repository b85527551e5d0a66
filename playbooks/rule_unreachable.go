package playbooks

// ruleUnreachable: what stands behind an unconditional end never runs, and a reader may rely on it.
func ruleUnreachable(s *sheet) {
	lists := [][]*node{s.top[SectionSteps]}
	for _, n := range s.nodes {
		if n.step.Kind == KindGroup {
			lists = append(lists, n.kids)
		}
	}
	for _, l := range lists {
		for i := 0; i+1 < len(l); i++ {
			if ends(l[i]) {
				s.err("unreachable", l[i+1].at, "give the end an if, or delete what follows", "this step never runs: %q always ends the run", l[i].step.ID)
				break
			}
		}
	}
}

func ends(n *node) bool {
	if n.step.If != "" {
		return false
	}
	if n.step.Kind == KindEnd {
		return true
	}
	if n.step.Kind != KindGroup || (n.step.Signoff != nil && n.step.Signoff.Otherwise == "skip") {
		return false
	}
	for _, k := range n.kids {
		if ends(k) {
			return true
		}
	}
	return false
}
