package playbooks

// ruleInputs refuses inputs that an action or sub-playbook does not take, misses, or takes in another type.
func ruleInputs(s *sheet) {
	for _, n := range s.nodes {
		if !n.known && n.step.Sub == nil {
			continue
		}
		who := "playbook"
		if n.known {
			who = "action " + n.step.Action.Uses
		}
		fields := map[string]Field{}
		for _, f := range n.accepts() {
			fields[f.Name] = f
			if f.Required && n.inputs[f.Name] == nil {
				s.err("missing-input", n.key(nameKey(n)), "with: { "+f.Name+": … }", "%s needs the input %q (%s)", who, f.Name, article(f.Type))
			}
		}
		for name, g := range n.inputs {
			f, ok := fields[name]
			if !ok {
				s.err("unknown-input", g.at, guess(name, fieldNames(n.accepts())), "%s has no input %q", who, crop(name))
				continue
			}
			if have := staticType(g.value); g.value.Kind != ValueExpr && !fits(have, f.Type) && !readable(g.value, f.Type) {
				s.err("wrong-type", pos{g.value.Line, g.value.Col}, asFor(f.Type), "input %q is %s, and this is %s", name, article(f.Type), article(have))
			}
		}
	}
}

// asFor is how a value of a type is written.
func asFor(kind string) string {
	switch kind {
	case TypeString:
		return "put it in quotes"
	case TypeKey:
		return "as \"${{ key }}\""
	case TypeDepend:
		return "as \"${{ dependent }}\", inside a loop over key.dependents"
	case TypeTime:
		return "as 2026-03-04T03:12:00Z, or an expression that gives a time"
	case TypeDuration:
		return "as 30s, 10m, 4h or 3d"
	case TypeStrings:
		return "as [one, two]"
	case TypeBool:
		return "true or false"
	}
	return ""
}

func nameKey(n *node) string {
	if n.known {
		return "uses"
	}
	return "playbook"
}

// staticType is the type of a value that is no single expression.
func staticType(v Value) string {
	switch v.Kind {
	case ValueText:
		return TypeString
	case ValueMap:
		return "map"
	case ValueList:
		for _, item := range v.List {
			if t := staticType(item); t != TypeString && t != TypeAny {
				return "list"
			}
		}
		return TypeStrings
	case ValueExpr:
		return TypeAny
	}
	switch v.Lit.(type) {
	case string:
		return TypeString
	case bool:
		return TypeBool
	case int:
		return TypeInt
	case float64:
		return TypeFloat
	}
	return "nil"
}

// readable reports whether a literal text can be read as the type.
func readable(v Value, want string) bool {
	s, ok := v.Lit.(string)
	if !ok || v.Kind != ValueLit {
		return false
	}
	switch want {
	case TypeDuration:
		_, err := ParseDuration(s)
		return err == nil
	case TypeTime:
		_, err := fnDate(s)
		return err == nil
	}
	return false
}
