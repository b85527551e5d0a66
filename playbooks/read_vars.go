package playbooks

import "go.yaml.in/yaml/v3"

func (s *sheet) readVars(n *yaml.Node) {
	for _, e := range s.entries(n, "vars", nil) {
		s.ruleID(e.name, e.at, snake, "a var is snake_case")
		s.p.Vars = append(s.p.Vars, Binding{e.name, s.value(e.val, "vars."+e.name, nil)})
	}
}
