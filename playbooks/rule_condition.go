package playbooks

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// ruleCondition refuses what would make a guard vanish: an empty text, a constant, a comment that cuts it.
func (s *sheet) ruleCondition(n *yaml.Node, key string) bool {
	const rule = "condition"
	at := place(n)
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		return false // said already: "if: !x" is a tag
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "":
		s.err(rule, at, "write a condition, or leave the key out", "%s is empty", key)
		return false
	case strings.Contains(n.Value, "${{"):
		s.err(rule, at, "write it without ${{ }}", "%s is an expression by itself", key)
		return false
	case n.Style == 0 && s.cut(n):
		s.err(rule, at, "quote the condition, or put the comment on a line of its own", "%s is cut at the comment", key)
		return false
	}
	return true
}

// cut reports whether a comment stands behind a plain scalar on its line.
func (s *sheet) cut(n *yaml.Node) bool {
	if n.Line < 1 || n.Line > len(s.lines) || strings.Contains(n.Value, "\n") {
		return false
	}
	runes := []rune(s.lines[n.Line-1])
	from := min(n.Column-1+len([]rune(n.Value)), len(runes))
	return strings.Contains(string(runes[max(from, 0):]), "#")
}
