package api

import (
	"encoding"
	"encoding/json"
	"path"
	"reflect"
	"strings"
	"time"
)

type object = map[string]any

// schemas collects the named types of a document.
type schemas struct {
	all  object
	name map[reflect.Type]string
}

func newSchemas() *schemas { return &schemas{object{}, map[reflect.Type]string{}} }

// of is the schema of what encoding/json makes of a type.
func (s *schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Interface:
		return object{"nullable": true, "description": "any JSON"}
	case encodes[encoding.TextMarshaler](t), encodes[json.Marshaler](t): // ours are durations, as "4h0m0s"
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Pointer:
		return object{"allOf": []any{s.of(t.Elem())}, "nullable": true}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "format": "byte", "nullable": true}
		}
		return object{"type": "array", "items": s.of(t.Elem()), "nullable": t.Kind() == reflect.Slice}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem()), "nullable": true}
	case reflect.Struct:
		return s.named(t)
	}
	return object{}
}

func encodes[I any](t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[I]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[I]())
}

// named puts a struct under its name, once, and refers to it.
func (s *schemas) named(t reflect.Type) object {
	if t.Name() == "" {
		return s.fields(t)
	}
	name, ok := s.name[t]
	if !ok {
		name = s.free(t)
		s.name[t] = name
		s.all[name] = object{} // a type that holds itself finds its name
		s.all[name] = s.fields(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// free is the type's name, with its package's before it where two packages have the same word.
func (s *schemas) free(t reflect.Type) string {
	name := t.Name()
	if base, arg, generic := strings.Cut(name, "["); generic {
		arg = strings.TrimRight(arg, "]")
		name = base + title(arg[strings.LastIndexAny(arg, "./")+1:])
	}
	name = title(name)
	if _, taken := s.all[name]; taken {
		name = title(path.Base(t.PkgPath())) + name
	}
	return name
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (s *schemas) fields(t reflect.Type) object {
	properties, required := object{}, []string{}
	s.walk(t, properties, &required)
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// walk adds the fields of a struct as encoding/json sees them; those of embedded structs stand beside its own, and where both have
// a name, the outer one holds.
func (s *schemas) walk(t reflect.Type, properties object, required *[]string) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous || f.Tag.Get("path") != "" || f.Tag.Get("query") != "" {
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			embedded = append(embedded, f.Type)
			continue
		}
		if name == "" {
			name = f.Name
		}
		if _, outer := properties[name]; outer {
			continue
		}
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
		schema := s.of(f.Type)
		if doc := f.Tag.Get("doc"); doc != "" && schema["$ref"] == nil {
			schema["description"] = doc
		}
		properties[name] = schema
	}
	for _, e := range embedded {
		s.walk(e, properties, required)
	}
}
