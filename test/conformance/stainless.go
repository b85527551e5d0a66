package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// jsonField is what the libraries of OpenAI and Anthropic keep of each field that they decoded.
type jsonField interface {
	Valid() bool
	Raw() string
}

// stainless decodes an object with its library and reads what the library noted: fields that it does not know, that it
// could not decode, or that it requires and misses.
func stainless[T any](body []byte) []string {
	var into T
	if err := json.Unmarshal(body, &into); err != nil {
		return []string{err.Error()}
	}
	return noted(reflect.ValueOf(into), "")
}

func noted(v reflect.Value, at string) (faults []string) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			faults = append(faults, noted(v.Index(i), at)...)
		}
		return faults
	case reflect.Struct:
	default:
		return nil
	}
	meta := v.FieldByName("JSON")
	if !meta.IsValid() || meta.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		note, ok := field(meta, f.Name)
		if name == "" || name == "-" || !ok {
			continue
		}
		switch raw := note.Raw(); {
		case raw == "" && f.Tag.Get("api") == "required":
			faults = append(faults, fmt.Sprintf("%s%s is missing", at, name))
		case raw != "" && raw != "null" && !note.Valid():
			faults = append(faults, fmt.Sprintf("%s%s cannot be %s", at, name, raw))
		case raw != "" && raw != "null":
			faults = append(faults, noted(v.Field(i), at+name+".")...)
		}
	}
	if extra := meta.FieldByName("ExtraFields"); extra.IsValid() {
		for _, name := range extra.MapKeys() {
			faults = append(faults, fmt.Sprintf("it has a field %q that the library does not know", at+name.String()))
		}
	}
	slices.Sort(faults)
	return faults
}

func field(meta reflect.Value, name string) (jsonField, bool) {
	f := meta.FieldByName(name)
	if !f.IsValid() || !f.CanInterface() {
		return nil, false
	}
	note, ok := f.Interface().(jsonField)
	return note, ok
}

// paged takes a page of objects: data, and how to go on.
func paged(one func([]byte) []string) func([]byte) []string {
	return func(body []byte) []string {
		var page struct {
			Data []json.RawMessage
		}
		known := only([]string{"object", "data", "has_more", "first_id", "last_id"})(body)
		if err := json.Unmarshal(body, &page); err != nil || page.Data == nil {
			return append(known, "it is no page")
		}
		for _, item := range page.Data {
			known = append(known, one(item)...)
		}
		return known
	}
}

// asForm takes a form with these fields.
func asForm(fields ...string) func([]byte) []string {
	return func(body []byte) (faults []string) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return []string{"it is no form"}
		}
		for name := range form {
			if !slices.Contains(fields, name) {
				faults = append(faults, fmt.Sprintf("it has a field %q that the library does not send", name))
			}
		}
		return faults
	}
}
