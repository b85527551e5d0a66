package playbooks

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// entry is one key with its value.
type entry struct {
	name string
	at   pos
	val  *yaml.Node
}

// entries reads a mapping: duplicates and (where allowed is not nil) unknown keys are faults.
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

// word reads a text without expressions.
func (s *sheet) word(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		s.err("shape", place(n), "", "%s is a text", what)
		return ""
	}
	if strings.Contains(n.Value, "${{") {
		s.err("shape", place(n), "", "%s is fixed: an expression is not possible here", what)
		return ""
	}
	s.ruleSecret(n)
	return n.Value
}

func (s *sheet) oneOf(n *yaml.Node, what string, allowed []string) string {
	v := s.word(n, what)
	for _, a := range allowed {
		if a == v {
			return v
		}
	}
	s.err("shape", place(n), guess(v, allowed), "%q is not a value of %s", crop(v), what)
	return ""
}

func (s *sheet) number(n *yaml.Node, what string, least, most int) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < least || v > most {
		s.err("shape", place(n), "", "%s is a whole number from %d to %d", what, least, most)
		return least
	}
	return v
}

func (s *sheet) boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || (n.Value != "true" && n.Value != "false") {
		s.err("shape", place(n), "", "%s is true or false", what)
	}
	return n.Value == "true"
}

func (s *sheet) duration(n *yaml.Node, what string) Dur {
	d, err := ParseDuration(s.word(n, what))
	if err == nil && d <= 0 {
		s.err("shape", place(n), "", "%s is longer than nothing", what)
		return Dur(time.Second)
	}
	if err != nil {
		s.err("shape", place(n), "as 30s, 10m, 4h or 3d", "%s: %s", what, err)
		return Dur(time.Second)
	}
	return Dur(d)
}

// value reads anything that may hold expressions.
func (s *sheet) value(n *yaml.Node, key string, in *node) Value {
	v := Value{Line: n.Line, Col: n.Column}
	switch n.Kind {
	case yaml.SequenceNode:
		v.Kind = ValueList
		for _, c := range n.Content {
			v.List = append(v.List, s.value(c, key, in))
		}
	case yaml.MappingNode:
		v.Kind = ValueMap
		for _, e := range s.entries(n, key, nil) {
			v.Map = append(v.Map, Binding{e.name, s.value(e.val, key, in)})
		}
	default:
		s.ruleSecret(n)
		s.scalar(n, &v, key, in)
	}
	return v
}

func (s *sheet) scalar(n *yaml.Node, v *Value, key string, in *node) {
	if !strings.Contains(n.Value, "${{") {
		v.Kind, v.Lit = ValueLit, literal(n)
		return
	}
	rest := n.Value
	for k := 0; len(s.sites) <= maxSites; k++ {
		from := strings.Index(rest, "${{")
		if from < 0 {
			break
		}
		to := strings.Index(rest[from:], "}}")
		if to < 0 {
			s.err("unquoted-expression", s.locate(n, k, 0), "quote the whole value, or close it with }}", "this expression is not closed: YAML cuts an unquoted text at \" #\"")
			v.Kind, v.Lit = ValueLit, ""
			return
		}
		raw := rest[from+3 : from+to]
		code := strings.TrimSpace(raw)
		lead := len(raw) - len(strings.TrimLeft(raw, " \t\n"))
		whole := k == 0 && from == 0 && from+to+2 == len(rest)
		s.sites = append(s.sites, &site{code: code, at: s.locate(n, k, lead), key: key, in: in, text: !whole})
		if whole {
			v.Kind, v.Expr = ValueExpr, code
			return
		}
		if from > 0 {
			v.Text = append(v.Text, Part{Lit: rest[:from]})
		}
		v.Text = append(v.Text, Part{Expr: code})
		rest = rest[from+to+2:]
	}
	v.Kind = ValueText
	if rest != "" {
		v.Text = append(v.Text, Part{Lit: rest})
	}
}

// literal is what YAML reads in a scalar, as JSON would hold it.
func literal(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.Atoi(n.Value); err == nil {
			return i
		}
	case "!!float":
		if regexp.MustCompile(`^[-+0-9.eE]+$`).MatchString(n.Value) {
			if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
				return f
			}
		}
	}
	return n.Value
}

// locate is the place of the code of the k-th expression of a scalar, whatever its style.
func (s *sheet) locate(n *yaml.Node, k, lead int) pos {
	col := n.Column - 1
	for l := n.Line; l >= 1 && l <= len(s.lines) && l < n.Line+2000; l++ {
		line := s.lines[l-1]
		runes := []rune(line)
		from := len(string(runes[:min(max(col, 0), len(runes))]))
		for {
			i := strings.Index(line[from:], "${{")
			if i < 0 {
				break
			}
			if k == 0 {
				return pos{l, len([]rune(line[:from+i])) + 4 + lead}
			}
			k--
			from += i + 3
		}
		col = 0
	}
	return place(n)
}
