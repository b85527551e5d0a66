package playbooks

import "go.yaml.in/yaml/v3"

// ruleSignoffOtherwise: silence never approves.
func (s *sheet) ruleSignoffOtherwise(n *yaml.Node) string {
	if n.Value == "approve" {
		s.err("signoff-otherwise", place(n), "allowed: stop, skip", "silence never approves")
		return "stop"
	}
	return s.oneOf(n, "otherwise", []string{"stop", "skip"})
}
