package playbooks

// ruleEscalation: who may decide from when on is frozen when people are asked, and money has no time that could be.
func (s *sheet) ruleEscalation(e Escalation, adds pos) {
	if e.Adds && e.AfterUSD > 0 {
		s.err("escalation", adds, "write a time under after, or take adds out", "an escalation by money wakes people; it cannot make them eligible, because who may decide from when on is frozen when people are asked")
	}
}
