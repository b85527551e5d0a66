package playbooks

import "go.yaml.in/yaml/v3"

func (s *sheet) readInputs(n *yaml.Node) {
	for _, e := range s.entries(n, "inputs", nil) {
		s.ruleID(e.name, e.at, snake, "an input is snake_case")
		f := Field{Name: e.name, Type: TypeString}
		for _, k := range s.keysOf(e.val, "input") {
			switch k.name {
			case "type":
				f.Type = s.oneOf(k.val, "type", fieldTypes())
			case "required":
				f.Required = s.boolean(k.val, "required")
			case "doc":
				f.Doc = s.word(k.val, "doc")
			}
		}
		s.p.Inputs = append(s.p.Inputs, f)
	}
}
