package seal_test

import (
	"bytes"
	"encoding/gob"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// parent holds a secret in every way in which one can be held.
type parent struct {
	Shown  seal.Secret
	hidden seal.Secret
	At     *seal.Secret
	List   []seal.Secret
	Fixed  [1]seal.Secret
	ByName map[string]seal.Secret
	Any    any
	Err    error
	seal.Secret
}

func (parent) Error() string { return "" }

func TestASecretCannotBeWrittenByAnyEncoderNorFoundByReflection(t *testing.T) {
	t.Parallel()
	value := randomText(t, 24)
	s := seal.NewSecret([]byte(value))
	p := parent{s, s, &s, []seal.Secret{s}, [1]seal.Secret{s}, map[string]seal.Secret{"k": s}, s, fmt.Errorf("with %v and %x: %w", s, s, errors.New("an end")), s}
	type plain struct { // without the embedding, whose methods would answer for the whole
		Shown  seal.Secret
		At     *seal.Secret
		ByName map[string]seal.Secret
	}
	q := plain{s, &s, map[string]seal.Secret{"k": s}}
	var out bytes.Buffer
	for _, v := range []any{s, &s, q, &q} {
		if err := yaml.NewEncoder(&out).Encode(v); err != nil {
			t.Errorf("yaml: %v", err)
		}
		_ = gob.NewEncoder(&out).Encode(v) // it refuses what has no exported field, which is right as well
	}
	if err := xml.NewEncoder(&out).Encode(s); err != nil {
		t.Errorf("xml: %v", err)
	}
	if err := template.Must(template.New("").Parse(`{{.Shown}} {{.At}} {{.ByName}} {{printf "%s %x %#v" .Shown .Shown .Shown}}`)).Execute(&out, q); err != nil {
		t.Errorf("template: %v", err)
	}
	log.New(&out, "", 0).Printf("%v %+v %#v", p, &p, q)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%#x", "%X", "%d", "%c", "%U", "%b", "%o", "%e", "%t", "%200v", "%-200q"} {
		fmt.Fprintf(&out, verb, p)
		fmt.Fprintf(&out, verb, &p)
		fmt.Fprintf(&out, verb, q)
		fmt.Fprintf(&out, verb, []any{p, q, p.Err})
	}
	dumped := &strings.Builder{}
	dump(dumped, reflect.ValueOf(p), 0)
	if !strings.Contains(dumped.String(), "hidden") || !strings.Contains(dumped.String(), "ByName") {
		t.Fatal("the dumper did not look into the parent, so this test says nothing")
	}
	for name, text := range map[string]string{"written": out.String(), "dumped": dumped.String()} {
		if seal.Redact(text, []byte(value)) != text || strings.Contains(text, decimal(value)) {
			t.Errorf("the value was %s", name)
		}
	}
	control := &strings.Builder{}
	dump(control, reflect.ValueOf(struct{ hidden []byte }{[]byte(value)}), 0)
	if seal.Redact(control.String(), []byte(value)) == control.String() {
		t.Error("the dumper finds nothing that lies open either, so this test says nothing")
	}
}

// decimal is how %d would print the first bytes.
func decimal(s string) string { return strings.Trim(fmt.Sprintf("%d", []byte(s)[:6]), "[]") }

// dump walks a value as debuggers' dumpers do: past methods, into unexported fields, through pointers.
func dump(out *strings.Builder, v reflect.Value, depth int) {
	if depth > 12 || !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		dump(out, v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			out.WriteString(" " + v.Type().Field(i).Name + "=")
			dump(out, v.Field(i), depth+1)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			dump(out, it.Key(), depth+1)
			dump(out, it.Value(), depth+1)
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			out.Write(v.Bytes())
			return
		}
		for i := range v.Len() {
			dump(out, v.Index(i), depth+1)
		}
	case reflect.String:
		out.WriteString(v.String())
	default:
		fmt.Fprint(out, v.Kind())
	}
}
