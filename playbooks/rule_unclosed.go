package playbooks

// ruleUnclosed: an expression that is never closed would be written out as text.
func (s *sheet) ruleUnclosed(at pos) {
	s.err("unquoted-expression", at, "quote the whole value, or close it with }}", "this expression is not closed: YAML cuts an unquoted text at \" #\"")
}
