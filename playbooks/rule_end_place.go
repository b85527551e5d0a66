package playbooks

// ruleEndPlace: an end in a parallel or loop would leave siblings in mid-call.
func ruleEndPlace(s *sheet) {
	for _, n := range s.nodes {
		if n.step.Kind != KindEnd {
			continue
		}
		for _, z := range n.up()[1:] {
			if z.step.Kind == KindParallel || z.step.Kind == KindLoop {
				s.err("end-place", n.key("end"), "put it behind", "end cannot stand inside %q, which is a %s", z.step.ID, z.step.Kind)
				break
			}
		}
	}
}
