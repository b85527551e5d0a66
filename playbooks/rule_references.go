package playbooks

import "slices"

// ruleReferences refuses steps that do not exist or cannot be known yet where they are read.
func ruleReferences(s *sheet) {
	var known []string
	for id := range s.byID {
		known = append(known, id)
	}
	slices.Sort(known)
	for _, r := range s.reads() {
		switch {
		case r.use.step == "identify":
			if !s.p.NeedsKey {
				s.err("unknown-step", r.at(), "", "there is no step identify in a playbook with needs_key: false")
			}
		case r.target == nil:
			s.err("unknown-step", r.at(), guess(r.use.step, known), "there is no step %q", crop(r.use.step))
		default:
			if ok, why := visible(r.site.in, r.target); !ok {
				s.err("forward-reference", r.at(), "read steps that are over", "step %q cannot be read here: %s", r.use.step, why)
			}
		}
	}
}
