package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// openAPI is one file in OpenAPI's form.
type openAPI struct {
	name     string
	services []string
	below    string // the path of its server, as "/v1"
	doc      *openapi3.T
	options  []openapi3.SchemaValidationOption
	// loose are query parameters that a library spells in another way than the description, whose style is left open there.
	loose func(parameter string) string
}

func loadOpenAPI(file, name, below string, services ...string) (*openAPI, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	o := &openAPI{name: name, services: services, below: below, doc: doc, options: []openapi3.SchemaValidationOption{openapi3.MultiErrors()}}
	if doc.IsOpenAPI31OrLater() {
		o.options = append(o.options, openapi3.EnableJSONSchema2020())
	}
	o.loose = func(p string) string { return p }
	return o, nil
}

func (o *openAPI) check(x exchange) (verdict, bool) {
	if !slices.Contains(o.services, x.service) {
		return verdict{}, false
	}
	path, item := o.find(x)
	if item == nil {
		return verdict{}, false
	}
	op := item.GetOperation(x.request.Method)
	v := verdict{call: x.request.Method + " " + o.below + path, by: o.name}
	o.query(&v, x, slices.Concat(item.Parameters, op.Parameters))
	o.sent(&v, x, op)
	o.answered(&v, x, op)
	return v, true
}

// find prefers the path with the fewest holes: /public-key is no name of a secret.
func (o *openAPI) find(x exchange) (best string, item *openapi3.PathItem) {
	at, inside := strings.CutPrefix(x.request.URL.EscapedPath(), o.below)
	if !inside {
		return "", nil
	}
	have, fewest := segments(at), 99
	for path, it := range o.doc.Paths.Map() {
		want := segments(path)
		holes := 0
		fits := len(want) == len(have) && it.GetOperation(x.request.Method) != nil
		for i := 0; fits && i < len(want); i++ {
			if strings.HasPrefix(want[i], "{") {
				holes++
				fits = have[i] != ""
			} else {
				fits = want[i] == have[i]
			}
		}
		if fits && holes < fewest {
			best, item, fewest = path, it, holes
		}
	}
	return best, item
}

func (o *openAPI) query(v *verdict, x exchange, described openapi3.Parameters) {
	known := map[string]*openapi3.Parameter{}
	for _, p := range described {
		if p.Value.In == openapi3.ParameterInQuery {
			known[p.Value.Name] = p.Value
		}
	}
	sent := x.request.URL.Query()
	given := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		p := known[name]
		if p == nil {
			p = known[o.loose(name)]
		}
		if p == nil {
			v.fault("the query has a parameter %q that is not described", name)
			continue
		}
		given[p.Name] = true
		o.parameter(v, p, sent[name])
	}
	for name, p := range known {
		if p.Required && !given[name] {
			v.fault("the query lacks %q", name)
		}
	}
}

// parameter holds values against the parameter's schema; of an object only the name is known, because its style is not said.
func (o *openAPI) parameter(v *verdict, p *openapi3.Parameter, values []string) {
	if p.Schema == nil || p.Schema.Value == nil || includes(o.kind(p.Schema.Value), "object") {
		return
	}
	schema := p.Schema.Value
	for _, text := range values {
		if includes(o.kind(schema), "array") && schema.Items != nil {
			for _, part := range strings.Split(text, ",") {
				o.holds(v, "the query parameter "+strconv.Quote(p.Name), schema.Items.Value, typed(part, schema.Items.Value))
			}
			continue
		}
		o.holds(v, "the query parameter "+strconv.Quote(p.Name), schema, typed(text, schema))
	}
}

func (o *openAPI) kind(s *openapi3.Schema) *openapi3.Types {
	for _, inner := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		if s.Type == nil && inner.Value != nil && inner.Value.Type != nil {
			return inner.Value.Type
		}
	}
	return s.Type
}

// typed reads a text of a query as its schema means it.
func typed(text string, s *openapi3.Schema) any {
	if s.Type == nil {
		return text
	}
	if includes(s.Type, "integer") || includes(s.Type, "number") {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	}
	if b, err := strconv.ParseBool(text); err == nil && includes(s.Type, "boolean") {
		return b
	}
	return text
}

func (o *openAPI) sent(v *verdict, x exchange, op *openapi3.Operation) {
	if op.RequestBody == nil || op.RequestBody.Value == nil {
		if len(x.body) > 0 {
			v.fault("a body is sent, and none is described")
		}
		return
	}
	body := op.RequestBody.Value
	media := body.Content.Get("application/json")
	switch value, ok := decoded(x.body); {
	case len(x.body) == 0 && !body.Required:
	case media == nil:
		v.fault("the body is described in another form than JSON")
	case !ok:
		v.fault("the body is not JSON")
	case !isJSON(x.request.Header.Get("Content-Type")):
		v.fault("the body is sent as %q", x.request.Header.Get("Content-Type"))
	default:
		o.holds(v, "the body", media.Schema.Value, value, openapi3.VisitAsRequest())
		o.strays(v, "the body", media.Schema.Value, value)
	}
}

func (o *openAPI) answered(v *verdict, x exchange, op *openapi3.Operation) {
	ref := op.Responses.Status(x.status)
	if ref == nil && !good(x.status) {
		ref = op.Responses.Default()
	}
	if ref == nil || ref.Value == nil {
		if good(x.status) {
			v.fault("it is answered with %d, which is not described", x.status)
		}
		return
	}
	media := ref.Value.Content.Get("application/json")
	switch value, ok := decoded(x.answer); {
	case media == nil || media.Schema == nil:
		if len(x.answer) > 0 && good(x.status) {
			v.fault("the answer %d has a body, and none is described", x.status)
			return
		}
		v.answer = len(x.answer) == 0
	case !ok:
		v.fault("the answer %d is not JSON", x.status)
	case !isJSON(x.header.Get("Content-Type")):
		v.fault("the answer %d comes as %q", x.status, x.header.Get("Content-Type"))
	default:
		what := fmt.Sprintf("the answer %d", x.status)
		o.holds(v, what, media.Schema.Value, value, openapi3.VisitAsResponse())
		o.strays(v, what, media.Schema.Value, value)
		v.answer = true
	}
}

func (o *openAPI) holds(v *verdict, what string, s *openapi3.Schema, value any, more ...openapi3.SchemaValidationOption) {
	if err := o.doc.ValidateSchemaJSON(s, value, slices.Concat(o.options, more)...); err != nil {
		v.fault("%s: %s", what, first(err.Error()))
	}
}

// first is the beginning of a long message.
func first(text string) string {
	text, _, _ = strings.Cut(text, "\nSchema:")
	return strings.Join(strings.Fields(text), " ")
}

// payload holds a body that is delivered to us against the webhook of that name.
func (o *openAPI) payload(hook string, body []byte) (verdict, error) {
	v := verdict{call: "webhook " + hook, by: o.name, answer: true}
	item := o.doc.Webhooks[hook]
	if item == nil || item.Post == nil {
		return v, fmt.Errorf("%s describes no webhook %q", o.name, hook)
	}
	value, ok := decoded(body)
	if !ok {
		v.fault("the delivery is not JSON")
		return v, nil
	}
	schema := item.Post.RequestBody.Value.Content.Get("application/json").Schema.Value
	o.holds(&v, "the delivery", schema, value)
	return v, nil
}

// brackets takes the "[]" and "[gte]" off a parameter, as libraries write lists and ranges.
func brackets(parameter string) string {
	name, _, _ := strings.Cut(parameter, "[")
	return name
}

func includes(t *openapi3.Types, kind string) bool { return t != nil && t.Includes(kind) }
