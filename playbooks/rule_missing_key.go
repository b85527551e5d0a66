package playbooks

import "go.yaml.in/yaml/v3"

// ruleMissingKey: what the language needs is written down, never assumed.
func (s *sheet) ruleMissingKey(n *yaml.Node, c Clause) {
	for _, k := range c.Keys {
		if k.Required && !hasKey(n, k.Name) {
			s.err("missing-key", place(n), k.Doc, "%s needs the key %q", c.Say, k.Name)
		}
	}
}

func hasKey(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}
