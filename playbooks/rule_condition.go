package playbooks

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ruleCondition refuses what would make a guard vanish: an empty text, a constant, a comment that cuts it.
func (s *sheet) ruleCondition(n *yaml.Node, key string) bool {
	const rule = "condition"
	at := place(n)
	switch hash, cut := s.cut(n); {
	case n.Style&yaml.TaggedStyle != 0:
		return false // said already: "if: !x" is a tag
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "":
		s.err(rule, at, "write a condition, or leave the key out", "%s is empty", key)
		return false
	case strings.Contains(n.Value, "${{"):
		s.err(rule, at, "write it without ${{ }}", "%s is an expression by itself", key)
		return false
	case cut:
		s.err(rule, hash, "quote the condition, or put the comment on a line of its own", "%s is cut at the comment", key)
		return false
	}
	return true
}

// cut reports whether a comment stands behind a plain scalar on its last line, and where.
func (s *sheet) cut(n *yaml.Node) (pos, bool) {
	if n.Kind != yaml.ScalarNode || n.Style != 0 || n.Value == "" {
		return pos{}, false
	}
	p := s.placesOf(n)
	end := p.at(len(p) - 1)
	if end.line < 1 || end.line > len(s.lines) {
		return pos{}, false
	}
	rest := []rune(s.lines[end.line-1])
	rest = rest[min(end.col-1, len(rest)):]
	i := slices.Index(rest, '#')
	return pos{end.line, end.col + i}, i > 0 && strings.TrimSpace(string(rest[:i])) == ""
}
