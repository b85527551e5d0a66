package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
)

// problemType is the type of every answer that is not good.
var problemType = reflect.TypeFor[Problem]()

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// Document is the OpenAPI description of these endpoints.
func Document(version string, all []Endpoint) []byte {
	s := newSchemas()
	paths := object{}
	for _, e := range all {
		at, ok := paths[e.Path].(object)
		if !ok {
			at = object{}
			paths[e.Path] = at
		}
		at[strings.ToLower(e.Method)] = s.operation(e)
	}
	s.named(problemType)
	doc := object{
		"openapi": "3.0.3",
		"info": object{
			"title": "Tourniquet", "version": version, "license": object{"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
			"description": "What the console shows and people do, for programs. Times are RFC 3339 in UTC. Everything that came from alerts, providers and people may be hostile: show it as text.",
		},
		"servers": []any{object{"url": "/"}},
		"tags":    tags(all),
		"paths":   paths,
		"components": object{
			"schemas": s.all,
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer", "description": "A personal token, made by somebody else with: tourniquet person token"},
				"session": object{"type": "apiKey", "in": "cookie", "name": "tourniquet_session", "description": "A browser that is signed in to the console; for reading only"},
			},
		},
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil { // maps of strings
		return []byte(fmt.Sprintf(`{"error": %q}`, err))
	}
	return append(raw, '\n')
}

func tags(all []Endpoint) []any {
	out, seen := []any{}, map[string]bool{}
	for _, e := range all {
		if t := e.tag(); !seen[t] {
			seen[t] = true
			out = append(out, object{"name": t})
		}
	}
	return out
}

// tag is the noun that the path begins with.
func (e Endpoint) tag() string { return strings.Split(strings.TrimPrefix(e.Path, "/v1/"), "/")[0] }

func (s *schemas) operation(e Endpoint) object {
	op := object{"operationId": e.ID, "summary": e.Summary, "tags": []any{e.tag()}, "responses": s.answers(e)}
	switch {
	case e.Open:
		op["security"] = []any{}
		op["description"] = "Whoever sends proves it in the way that the configuration names for the source."
	case e.Method == http.MethodGet:
		op["security"] = []any{object{"token": []any{}}, object{"session": []any{}}}
	default:
		op["security"] = []any{object{"token": []any{}}}
	}
	if e.Right != "" {
		op["x-right"] = string(e.Right)
	}
	if p := s.parameters(e); len(p) > 0 {
		op["parameters"] = p
	}
	if e.In != nil && hasBody(e.In) {
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": s.fields(e.In)}}}
	}
	if e.AnyBody {
		op["requestBody"] = object{"required": true, "content": object{"*/*": object{}}}
	}
	return op
}

func (s *schemas) parameters(e Endpoint) (out []any) {
	named := map[string]bool{}
	for _, f := range fieldsOf(e.In) {
		if f.where == "body" {
			continue
		}
		named[f.name] = true
		schema := s.of(f.Type)
		delete(schema, "nullable")
		if allowed := f.Tag.Get("enum"); allowed != "" {
			schema["enum"] = strings.Split(allowed, ",")
		}
		p := object{"name": f.name, "in": f.where, "schema": schema}
		if f.where == "path" {
			p["required"] = true
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		out = append(out, p)
	}
	for _, m := range placeholder.FindAllStringSubmatch(e.Path, -1) {
		if !named[m[1]] {
			out = append(out, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	return out
}

func (s *schemas) answers(e Endpoint) object {
	good := object{}
	for _, m := range e.Media {
		good[m] = object{"schema": object{"type": "string", "format": "binary"}}
		if strings.HasSuffix(m, "json") {
			good[m] = object{}
		}
	}
	if e.Out != nil {
		good["application/json"] = object{"schema": s.of(e.Out)}
	}
	out := object{
		fmt.Sprint(e.Status): object{"description": http.StatusText(e.Status), "content": good},
		"default":            object{"description": "A problem, in words and with a stable code", "content": object{"application/problem+json": object{"schema": s.named(problemType)}}},
	}
	for status, why := range e.More {
		out[fmt.Sprint(status)] = object{"description": why}
	}
	return out
}
