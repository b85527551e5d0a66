package playbooks

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// ruleOffers holds every action against what the providers declare that the step can meet: what none of them offers
// could only fail, and what a person does by hand takes a person's time.
func ruleOffers(s *sheet) {
	if len(s.w.Offers) == 0 {
		return
	}
	for _, n := range s.nodes {
		if n.step.Action == nil || !n.known {
			continue
		}
		action := n.step.Action.Uses
		met, named := s.met(n)
		none := []string{}
		for _, p := range met {
			switch o, declared := s.w.Offers[p][action]; {
			case !declared || o.Can:
			case o.ByHand != "":
				s.warn("by-hand", n.key("uses"), "give the sign-off around it hours, not minutes", "%s is done by a person for %s, in %s: the call waits until they have put the key into the sealed form", action, p, o.ByHand)
			default:
				none = append(none, p+": "+o.Why)
			}
		}
		if named && len(none) > 0 && len(none) == len(met) {
			s.err("not-offered", n.key("uses"), "another action, or another provider in the condition", "%s could only fail: %s", action, strings.Join(none, "; "))
		}
	}
}

// met are the providers whose keys a step can meet, sorted: those that the trigger and the conditions around the step leave;
// where they name none, those that are configured.
func (s *sheet) met(n *node) (providers []string, named bool) {
	all := slices.Sorted(maps.Keys(s.w.Offers))
	left := s.possible(s.p.Trigger, all)
	for _, at := range append(n.up(), n) {
		left = s.possible(at.step.If, left)
	}
	if len(left) < len(all) {
		return left, true
	}
	return slices.Sorted(slices.Values(s.w.Configured)), false
}

// possible are the providers of all for which a condition may hold; what it does not say of providers holds for each.
func (s *sheet) possible(code string, all []string) []string {
	if code == "" {
		return all
	}
	tree, fault := parseExpr(code, s.budget.parse)
	if fault != nil {
		return all
	}
	return may(tree.Node, all)
}

func may(n ast.Node, all []string) []string {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return all
	}
	switch b.Operator {
	case "&&", "and":
		return may(b.Right, may(b.Left, all))
	case "||", "or":
		left, right := may(b.Left, all), may(b.Right, all)
		return keep(all, func(p string) bool { return slices.Contains(left, p) || slices.Contains(right, p) })
	case "==", "in":
		if names := namesIn(b.Right); isProvider(b.Left) && names != nil {
			return keep(all, func(p string) bool { return slices.Contains(names, p) })
		}
		if names := namesIn(b.Left); b.Operator == "==" && isProvider(b.Right) && names != nil {
			return keep(all, func(p string) bool { return slices.Contains(names, p) })
		}
	case "!=":
		if names := namesIn(b.Right); isProvider(b.Left) && names != nil {
			return keep(all, func(p string) bool { return !slices.Contains(names, p) })
		}
	}
	return all
}

func keep(all []string, is func(string) bool) []string {
	out := []string{}
	for _, p := range all {
		if is(p) {
			out = append(out, p)
		}
	}
	return out
}

// isProvider tells alert.key.provider and key.provider.
func isProvider(n ast.Node) bool {
	var names []string
	for _, l := range path(n) {
		names = append(names, l.name)
	}
	is := strings.Join(names, ".")
	return is == "alert.key.provider" || is == "key.provider"
}

// namesIn are the texts of a literal or of a list of them; nil where it is anything else.
func namesIn(n ast.Node) []string {
	list := []ast.Node{n}
	if a, ok := n.(*ast.ArrayNode); ok {
		list = a.Nodes
	}
	names := []string{}
	for _, e := range list {
		t, ok := e.(*ast.StringNode)
		if !ok {
			return nil
		}
		names = append(names, t.Value)
	}
	return names
}
