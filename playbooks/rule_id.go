package playbooks

import "strings"

// maxID is how long an id may be.
const maxID = 64

// ruleID refuses ill-formed ids: a hyphen in a step id would be a minus in an expression.
func (s *sheet) ruleID(id string, at pos, form, say string) bool {
	if len(id) > maxID || !wellFormed(id, form) {
		s.err("bad-id", at, say, "%q is not an id", crop(id))
		return false
	}
	if id == "identify" {
		s.err("bad-id", at, "choose another", "%q is the step that every run starts with", id)
		return false
	}
	return true
}

// wellFormed: words of small letters and digits, the first one beginning with a letter, joined by one sign.
func wellFormed(id, form string) bool {
	sign := "_"
	if form == kebab {
		sign = "-"
	}
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		return false
	}
	for _, word := range strings.Split(id, sign) {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

// ruleDuplicateID: a step is named by its id, everywhere.
func (s *sheet) ruleDuplicateID(n *node) {
	if first, ok := s.byID[n.step.ID]; ok {
		at := first.key("id")
		s.err("duplicate-id", n.key("id"), "ids are unique in the file", "step %q is already at line %d, column %d", crop(n.step.ID), at.line, at.col)
		return
	}
	s.byID[n.step.ID] = n
}
