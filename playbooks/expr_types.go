package playbooks

import (
	"time"

	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/types"
)

// Shape is what an expression may see: names with their types, and what it must be (a field type; empty for any).
type Shape struct {
	Names map[string]types.Type
	Want  string
}

// inferred is a type that the checker found, for vars.
type inferred struct{ n nature.Nature }

func (i inferred) Nature() nature.Nature   { return i.n }
func (i inferred) Equal(t types.Type) bool { return t == types.Any }
func (i inferred) String() string          { return typeName(i.n) }

func timeType() types.Type { return types.TypeOf(time.Time{}) }

// fieldType is the expression type of a field type.
func fieldType(t string) types.Type {
	switch t {
	case TypeString:
		return types.String
	case TypeInt:
		return types.Int
	case TypeFloat:
		return types.Float64
	case TypeBool:
		return types.Bool
	case TypeTime:
		return timeType()
	case TypeDuration:
		return types.TypeOf(time.Duration(0))
	case TypeKey:
		return keyType()
	case TypeDepend:
		return dependentType()
	case TypeStrings:
		return types.Array(types.String)
	}
	return types.Any
}

func texts() types.Type { return types.Map{types.Extra: types.String} }

func dependentType() types.Type {
	return types.Map{"id": types.String, "kind": types.String, "address": texts(), "redeploy": texts(), "check": texts()}
}

func keyType() types.Type {
	return types.Map{
		"provider": types.String, "account": types.String, "project": types.String, "id": types.String,
		"uid": types.String, "name": types.String, "hint": types.String, "owner": types.String,
		"owner_kind": types.String, "critical": types.Bool, "dependents": types.Array(dependentType()),
	}
}

func alertType() types.Type {
	return types.Map{
		"id": types.String, "source": types.String, "trust": types.String, "kind": types.String,
		"severity": types.String, "title": types.String, "fingerprint": types.String,
		"observed_at": timeType(), "received_at": timeType(), "finding_digest": types.String,
		"key": types.Map{"provider": types.String, "account": types.String, "id": types.String,
			"hint": types.String, "secret_hash": types.String, "where": types.String},
		"links": types.Array(types.String),
	}
}

// AlertShape is what a condition on alerts sees outside of playbooks.
func AlertShape() Shape {
	return Shape{Names: map[string]types.Type{"alert": alertType()}, Want: TypeBool}
}

func incidentType() types.Type {
	return types.Map{"id": types.String, "title": types.String, "opened_at": timeType(), "severity": types.String, "alerts": types.Array(alertType())}
}

// runType has an outcome only where the run has one: in on_failure and finally.
func runType(ended bool) types.Type {
	out := types.Map{
		"id": types.String, "incident": types.String, "number": types.Int, "playbook": types.String,
		"mode": types.String, "world": types.String, "starter": types.String, "started_at": timeType(),
	}
	if ended {
		out["outcome"] = types.String
	}
	return out
}

// stepType is what steps.<id> is: status, outputs and times.
func stepType(outputs types.Type) types.Type {
	return types.Map{"status": types.String, "outputs": outputs, "started_at": timeType(), "finished_at": timeType()}
}

func fieldsType(fields []Field) types.Type {
	m := types.Map{}
	for _, f := range fields {
		m[f.Name] = fieldType(f.Type)
	}
	return m
}

// typeName is the language's word for a type that the checker found.
func typeName(n nature.Nature) string {
	switch {
	case n.Nil:
		return "nil"
	case n.Type == nil:
		return TypeAny
	case n.IsTime():
		return TypeTime
	case n.IsDuration():
		return TypeDuration
	case n.IsString():
		return TypeString
	case n.IsBool():
		return TypeBool
	case n.IsInteger:
		return TypeInt
	case n.IsFloat:
		return TypeFloat
	case n.IsArray():
		if n.Ref != nil {
			if e := typeName(*n.Ref); e == TypeString || e == TypeAny {
				return TypeStrings
			}
		}
		return "list"
	case n.IsMap():
		return mapName(n)
	}
	return TypeAny
}

func mapName(n nature.Nature) string {
	if n.TypeData != nil && n.Strict {
		if _, ok := n.Fields["owner_kind"]; ok {
			return TypeKey
		}
		if _, ok := n.Fields["redeploy"]; ok {
			return TypeDepend
		}
	}
	return "map"
}

// fits reports whether a value of type have may be given where want is asked.
func fits(have, want string) bool {
	switch {
	case want == "" || want == TypeAny || have == TypeAny || have == want:
		return true
	case want == TypeFloat && have == TypeInt:
		return true
	case want == "list" && have == TypeStrings:
		return true
	}
	return false
}
