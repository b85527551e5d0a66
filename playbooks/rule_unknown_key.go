package playbooks

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// ruleUnknownKey: a misspelt key would silently change what a playbook does.
func (s *sheet) ruleUnknownKey(k *yaml.Node, what string, allowed []string) bool {
	if allowed == nil || slices.Contains(allowed, k.Value) {
		return true
	}
	s.err("unknown-key", place(k), guess(k.Value, allowed), "%s has no key %q", what, crop(k.Value))
	return false
}
