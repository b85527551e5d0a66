package playbooks

import "go.yaml.in/yaml/v3"

// ruleYAMLFeature refuses anchors, aliases, tags and merges: what a person reads must be what runs. "if: !x" is a tag
// to YAML, and the guard would silently vanish.
func (s *sheet) ruleYAMLFeature(n *yaml.Node) bool {
	const rule = "yaml-feature"
	switch {
	case n.Kind == yaml.AliasNode:
		s.err(rule, place(n), "write the value out", "an alias (*%s) is refused in a playbook", crop(n.Value))
	case n.Anchor != "":
		s.err(rule, place(n), "write the value out", "an anchor (&%s) is refused in a playbook", crop(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		s.err(rule, place(n), "if ! means not, quote it: \"!x\"", "%s is a YAML tag, and what follows it would vanish", crop(n.Tag))
	case n.Kind == yaml.ScalarNode && n.Tag == "!!merge":
		s.err(rule, place(n), "write the keys out", "a merge (<<) is refused in a playbook")
	default:
		return true
	}
	return false
}
