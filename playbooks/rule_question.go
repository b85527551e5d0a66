package playbooks

import "slices"

// ruleQuestion: a question can always be answered, and says what holds when nobody does.
func (s *sheet) ruleQuestion(a *Ask, at pos, seen map[string]pos) {
	const rule = "question"
	_, choices := seen["choices"]
	_, form := seen["form"]
	otherwise, said := seen["otherwise"]
	switch {
	case choices == form:
		s.err(rule, at, "choices: [abuse, legitimate], or form: with a list of fields", "a question has choices or a form, and not both")
	case form && len(a.Form) == 0:
		s.err(rule, seen["form"], "form: [{ name: ticket, type: string }]", "the form has no fields")
	case form && said && a.Otherwise != "stop":
		s.err(rule, otherwise, "otherwise: stop", "a form that nobody fills stops the run")
	case choices && (len(a.Choices) < 2 || len(slices.Compact(slices.Sorted(slices.Values(a.Choices)))) != len(a.Choices)):
		s.err(rule, seen["choices"], "choices: [abuse, legitimate]", "a question has two or more different choices")
	case choices && said && !slices.Contains(a.Choices, a.Otherwise):
		s.err(rule, otherwise, guess(a.Otherwise, a.Choices), "%q is none of the choices", crop(a.Otherwise))
	}
}

// ruleFormField: two fields of one name would overwrite each other.
func (s *sheet) ruleFormField(others []Field, name string, at pos) {
	if name == "by" || slices.Contains(fieldNames(others), name) {
		s.err("question", at, "choose another name", "the output %q of the question is taken already", crop(name))
	}
}
