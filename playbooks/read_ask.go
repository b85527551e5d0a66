package playbooks

import "go.yaml.in/yaml/v3"

func (s *sheet) readAsk(n *yaml.Node, x *node) *Ask {
	a := &Ask{}
	seen := map[string]pos{}
	for _, e := range s.keysOf(n, "ask") {
		seen[e.name] = place(e.val)
		switch e.name {
		case "from":
			a.From = s.word(e.val, "from")
			s.ruleGroup(a.From, place(e.val))
		case "prompt":
			a.Prompt = s.value(e.val, "ask.prompt", x)
		case "choices":
			for _, c := range s.items(e.val, "choices") {
				a.Choices = append(a.Choices, s.word(c, "a choice"))
			}
		case "form":
			a.Form = s.readForm(e.val)
		case "within":
			a.Within = s.duration(e.val, "within")
		case "otherwise":
			a.Otherwise = s.word(e.val, "otherwise")
		}
	}
	if n.Kind == yaml.MappingNode {
		s.ruleQuestion(a, place(n), seen)
	}
	return a
}

func (s *sheet) readForm(n *yaml.Node) []Field {
	var out []Field
	for _, item := range s.items(n, "form") {
		f := Field{Type: TypeString, Required: true}
		for _, e := range s.keysOf(item, "field") {
			switch e.name {
			case "name":
				f.Name = s.word(e.val, "name")
				s.ruleID(f.Name, place(e.val), snake, "a field is snake_case")
				s.ruleFormField(out, f.Name, place(e.val))
			case "type":
				f.Type = s.oneOf(e.val, "type", []string{TypeString, TypeInt, TypeFloat, TypeBool})
			case "doc":
				f.Doc = s.word(e.val, "doc")
			}
		}
		out = append(out, f)
	}
	return out
}
