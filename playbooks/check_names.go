package playbooks

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

// names is what an expression may see where it stands. Of the steps it holds those that the expression names, so
// that checking stays linear in the size of the file.
func (s *sheet) names(x *site) map[string]types.Type {
	switch x.key {
	case "trigger.if":
		return map[string]types.Type{"alert": alertType()}
	case "until":
		if !x.in.known {
			return map[string]types.Type{"result": types.Any}
		}
		return map[string]types.Type{"result": fieldsType(x.in.card.Outputs)}
	}
	out := map[string]types.Type{"incident": incidentType(), "run": runType(x.in != nil && x.in.section != SectionSteps)}
	if s.p.NeedsKey {
		out["key"] = keyType()
	}
	if _, ok := s.keys["inputs"]; ok {
		out["inputs"] = fieldsType(s.p.Inputs)
	}
	if _, ok := s.keys["trigger"]; ok { // without one, a run may have no alert
		out["alert"] = alertType()
	}
	out["vars"], out["steps"] = s.varNames(x), s.stepNames(x)
	for _, n := range x.in.up() {
		if l := n.step.Loop; l != nil && l.As != "" && (n != x.in || x.key != "for_each") {
			if _, taken := out[l.As]; !taken {
				out[l.As] = s.itemType(n)
			}
		}
	}
	return out
}

func (s *sheet) varNames(x *site) types.Type {
	m := types.Map{}
	self, isVar := strings.CutPrefix(x.key, "vars.")
	for _, b := range s.p.Vars {
		if isVar && b.Name == self {
			break
		}
		m[b.Name] = s.vars[b.Name]
	}
	return m
}

func (s *sheet) stepNames(x *site) types.Type {
	m := types.Map{}
	for _, u := range x.uses {
		switch n := s.byID[u.step]; {
		case u.step == "identify":
			m[u.step] = stepType(types.Map{"key": keyType()})
		case n != nil:
			m[u.step] = stepType(outputsType(n))
		case u.step != "":
			m[u.step] = types.Any // said by the rule about unknown steps
		}
	}
	return m
}

// itemType is what a loop's list holds.
func (s *sheet) itemType(loop *node) types.Type {
	for _, x := range s.sites {
		if x.in == loop && x.key == "for_each" && x.info != nil && x.info.n.Ref != nil && x.info.n.IsArray() {
			return inferred{*x.info.n.Ref}
		}
	}
	return types.Any
}

// outputs are the outputs that a step's kind or card declares.
func (n *node) outputs() []Field {
	switch n.step.Kind {
	case KindAction:
		return n.card.Outputs
	case KindAsk:
		by := Field{Name: "by", Type: TypeString}
		if n.step.Ask != nil && len(n.step.Ask.Form) > 0 {
			return append(slices.Clone(n.step.Ask.Form), by)
		}
		return []Field{{Name: "choice", Type: TypeString, Required: true}, by}
	case KindPlaybook:
		return []Field{{Name: "outcome", Type: TypeString, Required: true}}
	}
	return nil
}

func outputsType(n *node) types.Type {
	switch {
	case n.step.Kind == KindAction && !n.known:
		return types.Any
	case n.step.Kind == KindLoop:
		return types.Array(types.Map{"item": types.Any, "status": types.String, "steps": types.Any})
	}
	return fieldsType(n.outputs())
}

func fieldNames(fields []Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return out
}
