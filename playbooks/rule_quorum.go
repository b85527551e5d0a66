package playbooks

// ruleQuorum warns when the configured groups are too small: the sign-off could only expire.
func ruleQuorum(s *sheet) {
	for _, n := range s.nodes {
		if n.step.Signoff == nil {
			continue
		}
		need := map[string]int{}
		for _, seat := range n.step.Signoff.Seats {
			if seat.Group == "" {
				continue
			}
			need[seat.Group] += seat.Count
			if have, ok := s.w.Groups[seat.Group]; ok && have >= 0 && have < need[seat.Group] {
				s.warn("quorum", n.key("signoff"), "a larger group, or a smaller count", "the sign-off of %q needs %d of group %q, which has %d", n.step.ID, need[seat.Group], seat.Group, have)
			}
		}
	}
}
