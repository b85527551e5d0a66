package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// step is any step: all keys, so that an editor offers them, and what each kind and each action makes of them.
func (m maker) step() object {
	props, kinds, rules := object{}, []object{}, []object{}
	for _, kind := range []string{
		playbooks.KindAction, playbooks.KindGroup, playbooks.KindParallel, playbooks.KindLoop,
		playbooks.KindAsk, playbooks.KindWait, playbooks.KindPlaybook, playbooks.KindEnd,
	} {
		c := clauseOf(playbooks.StepClause(kind))
		var required []string
		for _, k := range c.Keys {
			if props[k.Name] == nil {
				props[k.Name] = m.key(k)
			}
			if k.Required && k.Name != "id" {
				required = append(required, k.Name)
			}
		}
		is := object{"required": required[:1]}
		kinds = append(kinds, is)
		if kind == playbooks.KindGroup {
			is = object{"required": required, "not": object{"required": []string{"for_each"}}}
		}
		rules = append(rules, object{"if": is, "then": object{"required": required, "propertyNames": object{"enum": c.Names()}}})
	}
	names := slices.Sorted(maps.Keys(m.w.Actions))
	var docs []string
	for _, name := range names {
		card := m.w.Actions[name]
		docs = append(docs, said(card))
		rules = append(rules, m.action(card))
	}
	props["uses"] = object{"type": "string", "enum": names, "enumDescriptions": docs, "description": "The action: what is done. Its effect is declared by the action and not by the author."}
	return object{
		"type": "object", "description": "One step: exactly one of uses, steps, parallel, for_each, ask, wait, playbook and end.",
		"properties": props, "required": []string{"id"}, "additionalProperties": false, "anyOf": kinds, "allOf": rules,
		"dependencies": object{"until": []string{"every", "within"}, "every": []string{"until"}},
	}
}

// said is an action in one line.
func said(card playbooks.Card) string {
	effect := map[string]string{
		signoff.EffectObserve: "Looks.", signoff.EffectNotify: "Tells people.", signoff.EffectUndoable: "Undoable.",
	}[card.Effect]
	if effect == "" {
		effect = "FINAL: cannot be undone and needs a signoff."
	}
	return effect + " " + card.Summary + "."
}

// action is what one action makes of a step: its inputs and its defaults.
func (m maker) action(card playbooks.Card) object {
	inputs, required := object{}, []string{}
	for _, f := range card.Inputs {
		in := input(f.Type)
		in["description"] = f.Doc
		inputs[f.Name] = in
		if f.Required {
			required = append(required, f.Name)
		}
	}
	with := object{"type": "object", "description": "Inputs of " + card.Name + ". " + said(card), "properties": inputs, "additionalProperties": false}
	then := object{"properties": object{"with": ref("with." + card.Name), "timeout": object{"default": card.Timeout}}}
	if len(required) > 0 {
		with["required"], then["required"] = required, []string{"with"}
	}
	m.defs["with."+card.Name] = with
	return object{"if": object{"properties": object{"uses": object{"const": card.Name}}, "required": []string{"uses"}}, "then": then}
}

// input is what may be given for a type: a literal of it, or an expression.
func input(kind string) object {
	or := func(literal object) object { return object{"anyOf": []object{literal, ref("whole")}} }
	switch kind {
	case playbooks.TypeString, playbooks.TypeTime, playbooks.TypeDuration:
		return object{"type": "string"}
	case playbooks.TypeInt:
		return or(object{"type": "integer"})
	case playbooks.TypeFloat:
		return or(object{"type": "number"})
	case playbooks.TypeBool:
		return or(object{"type": "boolean"})
	case playbooks.TypeStrings:
		return or(object{"type": "array", "items": object{"type": "string"}})
	case playbooks.TypeKey, playbooks.TypeDepend:
		return object{"allOf": []object{ref("whole")}, "default": fmt.Sprintf("${{ %s }}", kind)}
	}
	return object{}
}
