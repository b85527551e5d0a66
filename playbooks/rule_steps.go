package playbooks

import "go.yaml.in/yaml/v3"

// ruleSteps bounds the steps of a playbook and of everything that it inlines.
func (s *sheet) ruleSteps(item *yaml.Node) bool {
	s.budget.steps++
	if s.budget.steps == maxSteps+1 {
		s.err("budget", place(item), "split it", "more than %d steps, sub-playbooks included", maxSteps)
	}
	return s.budget.steps <= maxSteps
}
