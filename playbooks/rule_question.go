package playbooks

import "slices"

// ruleQuestion: a question can always be answered, and says what holds when nobody does.
func (s *sheet) ruleQuestion(a *Ask, at pos, seen map[string]pos) {
	_, choices := seen["choices"]
	_, form := seen["form"]
	if choices == form {
		s.err("question", at, "", "a question has choices or a form, and not both")
		return
	}
	if form {
		if len(a.Form) == 0 {
			s.err("question", seen["form"], "", "the form has no fields")
		}
		if a.Otherwise != "stop" && a.Otherwise != "" {
			s.err("question", seen["otherwise"], "otherwise: stop", "a form that nobody fills stops the run")
		}
		return
	}
	if len(a.Choices) < 2 || len(slices.Compact(slices.Sorted(slices.Values(a.Choices)))) != len(a.Choices) {
		s.err("question", seen["choices"], "", "a question has two or more different choices")
	}
	if a.Otherwise != "" && !slices.Contains(a.Choices, a.Otherwise) {
		s.err("question", seen["otherwise"], guess(a.Otherwise, a.Choices), "%q is none of the choices", crop(a.Otherwise))
	}
}
