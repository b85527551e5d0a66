package playbooks

import "go.yaml.in/yaml/v3"

// ruleDuplicateKey: of two equal keys a parser keeps one, and a reader may believe the other.
func (s *sheet) ruleDuplicateKey(k *yaml.Node, first pos) {
	s.err("duplicate-key", place(k), "keep one of them", "key %q is already at line %d, column %d", crop(k.Value), first.line, first.col)
}
