package playbooks

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

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
	places, rest, done := s.placesOf(n), n.Value, 0 // done counts characters before rest
	for len(s.sites) <= maxSites {
		from := strings.Index(rest, "${{")
		if from < 0 {
			break
		}
		to := strings.Index(rest[from:], "}}")
		if to < 0 {
			s.ruleUnclosed(places.at(done + runes(rest[:from])))
			v.Kind, v.Lit = ValueLit, ""
			return
		}
		raw := rest[from+3 : from+to]
		code := strings.TrimSpace(raw)
		start := done + runes(rest[:from]) + 3 + runes(raw[:len(raw)-len(strings.TrimLeft(raw, " \t\r\n"))])
		whole := done == 0 && from == 0 && from+to+2 == len(rest)
		s.sites = append(s.sites, &site{code: code, places: places.from(start, runes(code)), key: key, in: in, text: !whole})
		if whole {
			v.Kind, v.Expr = ValueExpr, code
			return
		}
		if from > 0 {
			v.Text = append(v.Text, Part{Lit: rest[:from]})
		}
		v.Text = append(v.Text, Part{Expr: code})
		done += runes(rest[:from+to+2])
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
		if strings.Trim(n.Value, "-+0123456789.eE") == "" {
			if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
				return f
			}
		}
	}
	return n.Value
}

// condition reads a bare expression that must be true or false.
func (s *sheet) condition(n *yaml.Node, key string, in *node) string {
	if !s.ruleCondition(n, key) {
		return ""
	}
	code := strings.TrimSpace(n.Value)
	start := runes(n.Value[:len(n.Value)-len(strings.TrimLeft(n.Value, " \t\r\n"))])
	s.sites = append(s.sites, &site{code: code, places: s.placesOf(n).from(start, runes(code)), key: key, want: TypeBool, in: in})
	return code
}
