package playbooks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// word reads a text without expressions.
func (s *sheet) word(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		s.err("shape", place(n), "", "%s is a text", what)
		return ""
	}
	if i := strings.Index(n.Value, "${{"); i >= 0 {
		s.err("shape", s.placesOf(n).at(runes(n.Value[:i])), "", "%s is fixed: an expression is not possible here", what)
		return ""
	}
	s.ruleSecret(n)
	return n.Value
}

func (s *sheet) oneOf(n *yaml.Node, what string, allowed []string) string {
	v := s.word(n, what)
	if slices.Contains(allowed, v) {
		return v
	}
	s.err("shape", place(n), guess(v, allowed), "%q is not a value of %s", crop(v), what)
	return ""
}

func (s *sheet) number(n *yaml.Node, what string, least, most int) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < least || v > most {
		s.err("shape", place(n), fmt.Sprintf("as %d", max(least, min(v, most))), "%s is a whole number from %d to %d", what, least, most)
		return least
	}
	return v
}

func (s *sheet) boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || (n.Value != "true" && n.Value != "false") {
		s.err("shape", place(n), "allowed: true, false", "%s is true or false", what)
	}
	return n.Value == "true"
}

func (s *sheet) duration(n *yaml.Node, what string) Dur {
	text := s.word(n, what)
	if text == "" && n.Value != "" {
		return Dur(time.Second) // said already
	}
	d, err := ParseDuration(text)
	if err == nil && d <= 0 {
		s.err("shape", place(n), "as 30s, 10m, 4h or 3d", "%s is longer than nothing", what)
		return Dur(time.Second)
	}
	if err != nil {
		s.err("shape", place(n), "as 30s, 10m, 4h or 3d", "%s: %s", what, err)
		return Dur(time.Second)
	}
	return Dur(d)
}
