package playbooks

// ruleLoopList: a loop walks one expression that gives a list, or a list written out.
func ruleLoopList(s *sheet) {
	for _, n := range s.nodes {
		if n.step.Kind != KindLoop {
			continue
		}
		if k := n.step.Loop.Over.Kind; k != ValueExpr && k != ValueList {
			s.err("wrong-type", n.key("for_each"), "for_each: ${{ key.dependents }}", "for_each is a list or one whole ${{ }} that gives a list")
		}
	}
}
