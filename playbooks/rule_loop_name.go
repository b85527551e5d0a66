package playbooks

import "slices"

// ruleLoopName: the name of an item may not hide another name.
func (s *sheet) ruleLoopName(x *node, at pos) {
	name := x.step.Loop.As
	s.ruleID(name, at, snake, "the name of an item is snake_case")
	taken := []string{"alert", "key", "incident", "inputs", "vars", "run", "steps", "result", "true", "false", "nil", "let", "in", "not", "and", "or", "if", "else", "matches", "contains"}
	if slices.Contains(taken, name) || allowed()[name] {
		s.err("bad-id", at, "choose another name", "%q already means something in expressions", name)
	}
	for _, up := range x.up()[1:] {
		if up.step.Loop != nil && up.step.Loop.As == name {
			s.err("bad-id", at, "choose another name", "%q is already the item of the loop %q", name, up.step.ID)
		}
	}
}
