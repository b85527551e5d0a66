package playbooks

// ruleRepetition: everything that repeats says how often and until when.
func ruleRepetition(s *sheet) {
	for _, n := range s.nodes {
		if n.step.Kind != KindAction {
			continue
		}
		a := n.step.Action
		_, until := n.keys["until"]
		_, every := n.keys["every"]
		_, within := n.keys["within"]
		switch {
		case until && (!every || !within):
			s.err("unbounded", n.key("until"), "every: 30s and within: 1h", "until repeats without saying every and within")
		case every && !until:
			s.err("unbounded", n.key("every"), "until: result.… ", "every without until repeats nothing")
		case until && every && within && a.Every > a.Within:
			s.err("unbounded", n.key("every"), "", "every is longer than within")
		}
	}
}
