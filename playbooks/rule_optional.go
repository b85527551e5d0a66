package playbooks

// ruleOptional refuses reading an output or input that is not always there as if it were.
func ruleOptional(s *sheet) {
	for _, x := range s.sites {
		if x.info == nil {
			continue
		}
		for _, u := range x.uses {
			var fields []Field
			name, what := u.output, "output"
			switch {
			case u.step != "" && s.byID[u.step] != nil:
				fields = s.byID[u.step].outputs()
			case u.input != "":
				fields, name, what = s.p.Inputs, u.input, "input"
			case u.result != "" && x.in != nil:
				fields, name = x.in.outputs(), u.result
			}
			for _, f := range fields {
				if f.Name == name && !f.Required && !(u.def && u.tailOpt) {
					s.err("optional-value", (read{x, u, nil}).at(), "say what holds without it, as … ?? \"unknown\"", "the %s %q is not always there", what, name)
				}
			}
		}
	}
}
