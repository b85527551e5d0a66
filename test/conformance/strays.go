package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// strays finds fields that a description does not know. Schemas allow what they do not name; a client that sends it, or a
// sandbox that answers it, has still made it up.
func (o *openAPI) strays(v *verdict, what string, s *openapi3.Schema, value any) {
	for _, field := range stray([]*openapi3.Schema{s}, value, "") {
		v.fault("%s has a field %q that is not described", what, field)
	}
}

// stray walks a value below every schema that may describe it.
func stray(all []*openapi3.Schema, value any, at string) (out []string) {
	all = flat(all)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner, open := fields(all, name)
			if len(inner) == 0 && !open {
				out = append(out, at+name)
				continue
			}
			out = append(out, stray(inner, value[name], at+name+".")...)
		}
	case []any:
		var items []*openapi3.Schema
		for _, s := range all {
			if s.Items != nil {
				items = append(items, s.Items.Value)
			}
		}
		for i, item := range value {
			if len(items) > 0 {
				out = append(out, stray(items, item, fmt.Sprintf("%s%d.", at, i))...)
			}
		}
	}
	return out
}

// flat is every schema that a schema is made of.
func flat(all []*openapi3.Schema) (out []*openapi3.Schema) {
	for _, s := range all {
		if s == nil {
			continue
		}
		out = append(out, s)
		for _, inner := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
			out = append(out, flat([]*openapi3.Schema{inner.Value})...)
		}
	}
	return out
}

// fields are the schemas of a field; open where some schema takes any name.
func fields(all []*openapi3.Schema, name string) (inner []*openapi3.Schema, open bool) {
	named := false
	for _, s := range all {
		named = named || len(s.Properties) > 0
		if p := s.Properties[name]; p != nil {
			inner = append(inner, p.Value)
		}
		more := s.AdditionalProperties
		if more.Schema != nil {
			inner = append(inner, more.Schema.Value)
		}
		open = open || more.Has != nil && *more.Has
	}
	return inner, open || !named
}
