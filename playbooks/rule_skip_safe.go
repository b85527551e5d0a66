package playbooks

// ruleSkipSafe is no fault: it marks the steps whose every later reader guards against their absence, because only
// those may be offered to be skipped.
func ruleSkipSafe(s *sheet) {
	for _, n := range s.nodes {
		n.step.SkipSafe = true
	}
	for _, r := range s.reads() {
		if r.target == nil || s.guarded(r) {
			continue
		}
		for _, n := range r.target.up() {
			if r.site.in == nil || !r.site.in.within(n) {
				n.step.SkipSafe = false
			}
		}
	}
}
