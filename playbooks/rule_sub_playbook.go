package playbooks

import "slices"

// ruleSubPlaybook refuses unknown playbooks and cycles, which would never end.
func (s *sheet) ruleSubPlaybook(id string, at pos) ([]byte, bool) {
	src, ok := s.w.Playbooks[id]
	switch {
	case id == s.p.ID || slices.Contains(s.stack, id):
		s.err("sub-playbook", at, "break the cycle", "playbook %q would call itself", crop(id))
		return nil, false
	case !ok:
		var known []string
		for k := range s.w.Playbooks {
			known = append(known, k)
		}
		slices.Sort(known)
		s.err("sub-playbook", at, guess(id, known), "there is no playbook %q", crop(id))
		return nil, false
	case len(s.stack) >= maxSubs:
		s.err("budget", at, "call fewer playbooks from playbooks", "playbooks nest more than %d levels", maxSubs)
		return nil, false
	case s.budget.bytes+len(src) > maxInlined:
		s.err("budget", at, "call fewer playbooks", "the sub-playbooks have more than %d bytes together", maxInlined)
		return nil, false
	}
	s.budget.bytes += len(src)
	return src, true
}
