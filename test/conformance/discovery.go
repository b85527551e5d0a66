package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// discovery is one of Google's discovery documents.
type discovery struct {
	name    string
	service string
	doc     discoveryDoc
	calls   []discoveryCall
}

type discoveryDoc struct {
	discoveryResource
	Parameters map[string]discoverySchema
	Schemas    map[string]discoverySchema
}

type discoveryResource struct {
	Methods   map[string]discoveryMethod
	Resources map[string]discoveryResource
}

type discoveryMethod struct {
	HTTPMethod, Path, FlatPath string
	Parameters                 map[string]discoverySchema
	Request, Response          *discoverySchema
}

type discoverySchema struct {
	Ref                  string `json:"$ref"`
	Type, Format         string
	Location             string
	Required             bool
	Enum                 []string
	Properties           map[string]discoverySchema
	Items                *discoverySchema
	AdditionalProperties *discoverySchema
}

type discoveryCall struct {
	discoveryMethod
	path *regexp.Regexp
}

func loadDiscovery(folder, file, service string) (*discovery, error) {
	d := &discovery{name: "google/" + file, service: service}
	text, err := os.ReadFile(filepath.Join(folder, "google", file))
	if err == nil {
		err = json.Unmarshal(text, &d.doc)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", d.name, err)
	}
	d.gather(d.doc.discoveryResource)
	return d, nil
}

var hole = regexp.MustCompile(`\{[^}]*\}`)

func (d *discovery) gather(r discoveryResource) {
	for _, m := range r.Methods {
		if m.FlatPath == "" {
			m.FlatPath = m.Path
		}
		literal := hole.Split(m.FlatPath, -1)
		for i := range literal {
			literal[i] = regexp.QuoteMeta(literal[i])
		}
		d.calls = append(d.calls, discoveryCall{m, regexp.MustCompile("^/" + strings.Join(literal, `[^/:]+`) + "$")})
	}
	for _, inner := range r.Resources {
		d.gather(inner)
	}
}

func (d *discovery) check(x exchange) (verdict, bool) {
	if x.service != d.service {
		return verdict{}, false
	}
	i := slices.IndexFunc(d.calls, func(c discoveryCall) bool {
		return c.HTTPMethod == x.request.Method && c.path.MatchString(x.request.URL.Path)
	})
	if i < 0 {
		return verdict{}, false
	}
	c := d.calls[i]
	v := verdict{call: c.HTTPMethod + " /" + c.FlatPath, by: d.name}
	d.query(&v, x, c)
	d.sent(&v, x, c)
	if !good(x.status) {
		return v, true // an error's form is not in the document
	}
	value, ok := decoded(x.answer)
	switch {
	case !ok || !isJSON(x.header.Get("Content-Type")):
		v.fault("the answer %d is not JSON", x.status)
	case c.Response != nil:
		d.holds(&v, "the answer", *c.Response, value)
		v.answer = true
	}
	return v, true
}

func (d *discovery) query(v *verdict, x exchange, c discoveryCall) {
	sent := x.request.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		p, known := c.Parameters[name]
		if !known {
			p, known = d.doc.Parameters[name]
		}
		if !known || p.Location != "query" {
			v.fault("the query has a parameter %q that is not described", name)
			continue
		}
		for _, text := range sent[name] {
			d.text(v, "the query parameter "+strconv.Quote(name), p, text)
		}
	}
	for name, p := range c.Parameters {
		if p.Required && p.Location == "query" && !sent.Has(name) {
			v.fault("the query lacks %q", name)
		}
	}
}

// text holds a value of the query, where everything is written as text.
func (d *discovery) text(v *verdict, what string, s discoverySchema, text string) {
	var err error
	switch s.Type {
	case "integer":
		_, err = strconv.ParseInt(text, 10, 64)
	case "boolean":
		_, err = strconv.ParseBool(text)
	}
	if err != nil || len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		v.fault("%s is %q and no %s %v", what, text, s.Type, s.Enum)
	}
}

func (d *discovery) sent(v *verdict, x exchange, c discoveryCall) {
	value, ok := decoded(x.body)
	switch {
	case c.Request == nil && len(x.body) > 0:
		v.fault("a body is sent, and none is described")
	case c.Request == nil || len(x.body) == 0:
	case !ok:
		v.fault("the body is not JSON")
	default:
		d.holds(v, "the body", *c.Request, value)
	}
}

// holds walks a value beside its schema: types, enumerations, and no field that the schema does not name.
func (d *discovery) holds(v *verdict, at string, s discoverySchema, value any) {
	if s.Ref != "" {
		s = d.doc.Schemas[s.Ref]
	}
	ok := true
	switch s.Type {
	case "object":
		var fields map[string]any
		if fields, ok = value.(map[string]any); ok {
			d.fields(v, at, s, fields)
		}
	case "array":
		var items []any
		items, ok = value.([]any)
		for i, item := range items {
			d.holds(v, fmt.Sprintf("%s[%d]", at, i), *s.Items, item)
		}
	case "string": // 64-bit numbers are strings in Google's JSON
		var text string
		text, ok = value.(string)
		if ok && len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			v.fault("%s is %q, which is none of %v", at, text, s.Enum)
		}
	case "integer", "number":
		_, ok = value.(float64)
	case "boolean":
		_, ok = value.(bool)
	}
	if !ok {
		v.fault("%s is %T and not %s", at, value, s.Type)
	}
}

func (d *discovery) fields(v *verdict, at string, s discoverySchema, fields map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		inner, known := s.Properties[name]
		switch {
		case known:
			d.holds(v, at+"."+name, inner, fields[name])
		case s.AdditionalProperties != nil:
			d.holds(v, at+"."+name, *s.AdditionalProperties, fields[name])
		default:
			v.fault("%s has a field %q that is not described", at, name)
		}
	}
}
