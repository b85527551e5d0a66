package playbooks

// ruleWholeStep: what an expression reads of a step is named where it stands. Through "let s = steps.fresh" a later
// value could reach a signed call unseen by the rules about known targets and guards.
func ruleWholeStep(s *sheet) {
	for _, x := range s.sites {
		if x.info == nil {
			continue
		}
		for _, u := range x.uses {
			target := s.byID[u.step]
			whole := u.outputs && u.output == "" && u.step != "" && (target == nil || target.step.Kind != KindLoop)
			if u.bare || whole {
				s.err("whole-step", (read{x, u, target}).at(), "steps.<id>.status or steps.<id>.outputs.<name>", "a step is not read as a whole: name the output that is meant")
			}
		}
	}
}
