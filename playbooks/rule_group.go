package playbooks

import "slices"

// ruleGroup refuses groups that the configuration does not have.
func (s *sheet) ruleGroup(name string, at pos) {
	if _, ok := s.w.Groups[name]; ok || name == "" {
		return
	}
	var known []string
	for g := range s.w.Groups {
		known = append(known, g)
	}
	slices.Sort(known)
	s.err("unknown-group", at, guess(name, known), "there is no group %q", crop(name))
}
