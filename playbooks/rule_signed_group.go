package playbooks

// ruleSignedGroup: what people sign is fixed and runs to its end, so nothing in it may ask, wait or end the run.
func ruleSignedGroup(s *sheet) {
	for _, n := range s.nodes {
		var outer *node
		if n.parent != nil {
			outer = n.parent.signed()
		}
		if outer == nil {
			continue
		}
		if n.step.Signoff != nil {
			s.err("nested-signoff", n.key("signoff"), "one sign-off for the whole group, or one per step", "step %q is already under the sign-off of %q", n.step.ID, outer.step.ID)
		}
		switch n.step.Kind {
		case KindAsk, KindWait, KindPlaybook, KindEnd:
			s.err("signed-group", n.at, "put it before or after the group", "%q cannot stand in the signed group %q: what is signed is fixed", kindKey(n.step.Kind), outer.step.ID)
		}
	}
}
