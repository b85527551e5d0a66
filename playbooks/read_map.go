package playbooks

import (
	"go.yaml.in/yaml/v3"
)

// entry is one key with its value.
type entry struct {
	name string
	at   pos
	val  *yaml.Node
}

// clause is one by name, from a table that is built once for a playbook and everything that it inlines.
func (s *sheet) clause(name string) Clause {
	if s.budget.clauses == nil {
		s.budget.clauses = map[string]Clause{}
		for _, c := range Clauses() {
			s.budget.clauses[c.Name] = c
		}
	}
	return s.budget.clauses[name]
}

// keys reads a map of a known clause: unknown, repeated and missing keys are faults.
func (s *sheet) keysOf(n *yaml.Node, name string) []entry {
	c := s.clause(name)
	out := s.entries(n, c.Say, c.Names())
	if n.Kind == yaml.MappingNode {
		s.ruleMissingKey(n, c)
	}
	return out
}

// entries reads a mapping: repeated and (where allowed is not nil) unknown keys are faults.
func (s *sheet) entries(n *yaml.Node, what string, allowed []string) []entry {
	if n.Kind != yaml.MappingNode {
		s.err("shape", place(n), "", "%s is a map of keys and values", what)
		return nil
	}
	var out []entry
	seen := map[string]pos{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			s.err("shape", place(k), "quote an expression: \"${{ key }}\"", "a key of %s is a plain word", what)
			continue
		}
		if first, ok := seen[k.Value]; ok {
			s.ruleDuplicateKey(k, first)
			continue
		}
		seen[k.Value] = place(k)
		if s.ruleUnknownKey(k, what, allowed) {
			out = append(out, entry{k.Value, place(k), v})
		}
	}
	return out
}

// items reads a list.
func (s *sheet) items(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		s.err("shape", place(n), "", "%s is a list", what)
		return nil
	}
	return n.Content
}
