package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one field of an In.
type field struct {
	reflect.StructField
	where, name string // path, query or body
}

func fieldsOf(t reflect.Type) (out []field) {
	if t == nil {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		for _, where := range []string{"path", "query"} {
			if name := f.Tag.Get(where); name != "" {
				out = append(out, field{f, where, name})
			}
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			out = append(out, field{f, "body", name})
		}
	}
	return out
}

func hasBody(t reflect.Type) bool {
	return slices.ContainsFunc(fieldsOf(t), func(f field) bool { return f.where == "body" })
}

// bind reads path, query and body into a pointer to a struct. What it does not know, it refuses: a filter with a slip in its
// name must not become no filter.
func bind(w http.ResponseWriter, r *http.Request, in any) error {
	v := reflect.ValueOf(in).Elem()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Malformed("The part of the address after “?” is not well-formed. Nothing was done.")
	}
	if hasBody(v.Type()) {
		if err := body(w, r, in); err != nil {
			return err
		}
	}
	known := map[string]bool{}
	for _, f := range fieldsOf(v.Type()) {
		at := v.FieldByIndex(f.Index)
		switch f.where {
		case "path": // whatever a body said of it
			at.SetString(r.PathValue(f.name))
		case "query":
			known[f.name] = true
			at.SetZero()
			if err := set(at, f, query[f.name]); err != nil {
				return err
			}
		}
	}
	for name := range query {
		if !known[name] {
			return Malformed(fmt.Sprintf("This address takes no parameter %q. Nothing was done.", name))
		}
	}
	return nil
}

// set puts a parameter into a field; given twice, the last one holds, except for lists.
func set(at reflect.Value, f field, given []string) error {
	if len(given) == 0 {
		return nil
	}
	text := given[len(given)-1]
	wrong := func(what string) error {
		return Malformed(fmt.Sprintf("The parameter %q is %s, not %q. Nothing was done.", f.name, what, text))
	}
	if allowed := f.Tag.Get("enum"); allowed != "" && text != "" && !slices.Contains(strings.Split(allowed, ","), text) {
		return wrong("one of " + allowed)
	}
	switch p := at.Addr().Interface().(type) {
	case *string:
		*p = text
	case *[]string:
		*p = given
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return wrong("true or false")
		}
		*p = b
	case *time.Time:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return wrong("a time such as 2026-11-23T09:14:03Z")
		}
		*p = t
	default:
		return fmt.Errorf("a parameter of type %s is not known", at.Type())
	}
	return nil
}

// body reads one JSON object of 64 KiB at most.
func body(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return Fault(http.StatusUnsupportedMediaType, "media_type", "Send JSON with “Content-Type: application/json”. Nothing was done.")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.Decode(&struct{}{}) != io.EOF {
		err = errors.New("there is more after the object")
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return Fault(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The body is larger than %d bytes. Nothing was done.", maxBody))
	case err != nil:
		return Malformed("The body is not the JSON object that is expected here (" + strings.TrimPrefix(err.Error(), "json: ") + "). Nothing was done.")
	}
	return nil
}

const maxBody = 64 << 10
