package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// object is a JSON object; its keys are written in alphabetical order.
type object = map[string]any

// Of is the schema for a world: its actions, and its groups where they are known.
func Of(w playbooks.World) ([]byte, error) {
	m := maker{w: w, defs: object{}}
	top := m.clause("playbook")
	top["$schema"] = "http://json-schema.org/draft-07/schema#"
	top["title"] = "Tourniquet playbook"
	top["not"] = object{"required": []string{"trigger", "inputs"}}
	m.defs["steps"] = object{"type": "array", "minItems": 1, "items": ref("step")}
	m.defs["step"] = m.step()
	m.defs["whole"] = object{"type": "string", "pattern": `^\$\{\{[\s\S]*\}\}$`, "patternErrorMessage": "One whole expression: \"${{ … }}\"", "description": "One whole expression, as \"${{ key }}\"."}
	top["definitions"] = m.defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(top)
	return b.Bytes(), err
}

func ref(name string) object { return object{"$ref": "#/definitions/" + name} }

// maker collects definitions on the way.
type maker struct {
	w    playbooks.World
	defs object
}

// clauseOf is a clause of the language by name.
func clauseOf(name string) playbooks.Clause {
	all := playbooks.Clauses()
	i := slices.IndexFunc(all, func(c playbooks.Clause) bool { return c.Name == name })
	return all[i]
}

// clause is a map with known keys.
func (m maker) clause(name string) object {
	c := clauseOf(name)
	props, required := object{}, []string{}
	for _, k := range c.Keys {
		props[k.Name] = m.key(k)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	out := object{"type": "object", "description": c.Doc, "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	maps.Copy(out, more(name))
	return out
}

// more is what the keys alone do not say.
func more(clause string) object {
	either := func(a, b string) []object { return []object{{"required": []string{a}}, {"required": []string{b}}} }
	switch clause {
	case "ask":
		return object{"oneOf": either("choices", "form")}
	case "seat":
		return object{"oneOf": either("group", "seat")}
	}
	return nil
}

// named is the definition of a clause, made once.
func (m maker) named(name string) object {
	if m.defs[name] == nil {
		m.defs[name] = object{} // it may hold itself
		m.defs[name] = m.clause(name)
	}
	return ref(name)
}

// key is what stands behind one key.
func (m maker) key(k playbooks.Key) object {
	out := m.shape(k)
	if k.Doc != "" {
		out["description"] = k.Doc
	}
	if len(k.Enum) > 0 {
		out["enum"] = k.Enum
	}
	switch {
	case k.Default == "":
	case k.Is == playbooks.IsInt || k.Is == playbooks.IsBool:
		out["default"] = json.RawMessage(k.Default)
	default:
		out["default"] = k.Default
	}
	return out
}

const (
	snake    = `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`
	kebab    = `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`
	duration = `(\d{1,4}d)?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))*`
	noBraces = `^([^$]|\$+[^${]|\$+\{[^{])*(\$+\{?)?$`
)

func (m maker) shape(k playbooks.Key) object {
	text := []string{"string", "number", "boolean"} // YAML reads 5 and true without quotes as such; lint takes them as texts
	switch k.Is {
	case playbooks.IsTexts:
		return object{"type": "array", "items": object{"type": text}}
	case playbooks.IsID:
		return object{"type": "string", "maxLength": 64, "pattern": snake, "patternErrorMessage": "snake_case: small letters, digits and _"}
	case playbooks.IsName:
		return object{"type": "string", "maxLength": 64, "pattern": kebab, "patternErrorMessage": "kebab-case: small letters, digits and -"}
	case playbooks.IsBool:
		return object{"type": "boolean"}
	case playbooks.IsInt:
		return object{"type": "integer", "minimum": k.Min, "maximum": k.Max}
	case playbooks.IsDuration:
		return object{"type": "string", "minLength": 2, "pattern": "^" + duration + "$", "patternErrorMessage": "A time, as 30s, 10m, 4h or 3d"}
	case playbooks.IsLimit:
		return object{"type": "string", "minLength": 2, "pattern": "^(" + duration + `|[1-9]\d{0,8} USD)$`, "patternErrorMessage": "A time as 15m, or an amount as 500 USD"}
	case playbooks.IsCondition:
		return object{"type": []string{"string", "boolean"}, "minLength": 1, "pattern": noBraces, "patternErrorMessage": "A condition is an expression by itself: write it without ${{ }}"}
	case playbooks.IsValue:
		return object{}
	case playbooks.IsList:
		return object{"anyOf": []object{ref("whole"), {"type": "array"}}}
	case playbooks.IsValues:
		return object{"type": "object"}
	case playbooks.IsSteps:
		return object{"allOf": []object{ref("steps")}}
	case playbooks.IsClause:
		return object{"allOf": []object{m.named(k.Of)}}
	case playbooks.IsClauses:
		return object{"type": "array", "minItems": 1, "items": m.named(k.Of)}
	case playbooks.IsNamed:
		return object{"type": "object", "propertyNames": object{"pattern": snake}, "additionalProperties": m.named(k.Of)}
	}
	return m.group(k, object{"type": text})
}

// group lists the groups of the configuration where they are known.
func (m maker) group(k playbooks.Key, out object) object {
	if isGroup := k.Name == "group" || k.Name == "else" || k.Name == "to" || k.Name == "from"; isGroup && len(m.w.Groups) > 0 {
		out["enum"] = slices.Sorted(maps.Keys(m.w.Groups))
	}
	return out
}
