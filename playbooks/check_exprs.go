package playbooks

import (
	"errors"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

// maxSites bounds the expressions of one file.
const maxSites = 1500

// checkExpressions types every expression. Vars come first, then the lists of loops from the outside inwards, because
// the others see their types.
func (s *sheet) checkExpressions() {
	s.budget.sites += len(s.sites)
	if s.budget.sites > maxSites {
		s.err("budget", s.sites[min(maxSites, len(s.sites)-1)].at(), "split it", "more than %d expressions, sub-playbooks included", maxSites)
		return
	}
	for _, x := range s.sites {
		if tree, fault := parseExpr(x.code, s.budget.parse); fault == nil {
			x.uses = usesOf(tree.Node)
		}
	}
	rank := func(x *site) int {
		switch {
		case strings.HasPrefix(x.key, "vars."):
			return 0
		case x.key == "for_each":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(s.sites, func(a, b *site) int {
		if d := rank(a) - rank(b); d != 0 || a.in == nil || b.in == nil {
			return d
		}
		return a.in.order - b.in.order
	})
	for _, b := range s.p.Vars {
		s.vars[b.Name] = types.Any
	}
	for _, x := range s.sites {
		s.checkSite(x)
	}
}

func (s *sheet) checkSite(x *site) {
	x.want = s.wanted(x)
	info, err := CompileExpr(x.code, Shape{Names: s.names(x), Want: x.want})
	if err != nil {
		s.exprFault(x, err)
		return
	}
	x.info, x.uses = info, usesOf(info.root)
	if x.text && !slices.Contains([]string{TypeString, TypeInt, TypeFloat, TypeBool, TypeTime, TypeDuration, TypeAny}, info.Type) {
		s.err("wrong-type", x.at(), "name the field that is meant, or use join", "%s cannot be written into a text", article(info.Type))
	}
	if name, ok := strings.CutPrefix(x.key, "vars."); ok {
		for _, b := range s.p.Vars {
			if b.Name == name {
				s.vars[name] = varType(b.Value, info)
			}
		}
	}
}

func varType(v Value, info *Checked) types.Type {
	switch v.Kind {
	case ValueExpr:
		return inferred{info.n}
	case ValueText:
		return types.String
	}
	return types.Any
}

func (s *sheet) exprFault(x *site, err error) {
	at := x.at()
	var f *ExprError
	if errors.As(err, &f) {
		at = x.spot(f.Line, f.Col)
	}
	rule := "expression"
	switch {
	case x.want == TypeBool && strings.Contains(err.Error(), "is wanted"):
		rule = "condition"
	case strings.Contains(err.Error(), "is wanted"):
		rule = "wrong-type"
	}
	s.err(rule, at, s.exprHint(x, err.Error()), "%s: %s", x.key, err)
}

// wanted is the type that a place asks for.
func (s *sheet) wanted(x *site) string {
	if x.text || x.in == nil {
		return x.want
	}
	if x.key == "for_each" {
		return "list"
	}
	name, ok := strings.CutPrefix(x.key, "with.")
	if !ok || x.in.inputs[name] == nil || x.in.inputs[name].value.Kind != ValueExpr {
		return x.want
	}
	for _, f := range x.in.accepts() {
		if f.Name == name {
			return f.Type
		}
	}
	return x.want
}

// accepts are the inputs that a step takes.
func (n *node) accepts() []Field {
	if n.step.Sub != nil {
		return n.step.Sub.Inputs
	}
	return n.card.Inputs
}
