package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	checker "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

// made is the schema of the report as the types have it.
func made(t *testing.T) []byte {
	t.Helper()
	sentence := reflect.TypeFor[report.Sentence]()
	named := func(of reflect.Type) string {
		if of.Name() == "" {
			return ""
		}
		return path.Base(of.PkgPath()) + "." + of.Name()
	}
	r := jsonschema.Reflector{AllowAdditionalProperties: true, Namer: named, Mapper: func(of reflect.Type) *jsonschema.Schema {
		switch of {
		case sentence:
			return &jsonschema.Schema{Type: "string"}
		case reflect.TypeFor[json.RawMessage]():
			return &jsonschema.Schema{}
		}
		return nil
	}}
	s := r.Reflect(&report.Facts{})
	s.ID, s.Title = "https://tourniquet.example/schema/report/v1", "Tourniquet report, version 1"
	s.Definitions["report.Facts"].Properties.Set("schema", &jsonschema.Schema{Const: report.Schema})
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	nullable(tree)
	if raw, err = json.MarshalIndent(tree, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(raw, '\n')
}

// nullable lets lists and maps be null, as they come where nothing was ever in them.
func nullable(node any) {
	switch v := node.(type) {
	case []any:
		for _, below := range v {
			nullable(below)
		}
	case map[string]any:
		_, fields := v["properties"]
		if v["type"] == "array" || v["type"] == "object" && !fields {
			v["type"] = []any{v["type"], "null"}
		}
		for _, below := range v {
			nullable(below)
		}
	}
}

func TestThePublishedSchemaIsKept(t *testing.T) {
	t.Parallel()
	today := made(t)
	if *update {
		if err := os.WriteFile("report.schema.json", today, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var published, now any
	if err := errors.Join(json.Unmarshal(report.SchemaFile(), &published), json.Unmarshal(today, &now)); err != nil {
		t.Fatal(err)
	}
	for _, broken := range kept("", published, now) {
		t.Errorf("%s: fields may be added (-update publishes them); to take one away or to change it, raise the version in report.Schema", broken)
	}
}

// kept says what the published schema promises and the types do not keep any more.
func kept(at string, published, now any) (broken []string) {
	switch was := published.(type) {
	case map[string]any:
		is, ok := now.(map[string]any)
		if !ok {
			return []string{at + " changed its kind"}
		}
		for name, below := range was {
			if _, there := is[name]; !there {
				broken = append(broken, at+"/"+name+" is gone")
				continue
			}
			broken = append(broken, kept(at+"/"+name, below, is[name])...)
		}
	case []any:
		is, _ := now.([]any)
		for _, v := range was {
			if !slices.ContainsFunc(is, func(w any) bool { return reflect.DeepEqual(v, w) }) {
				broken = append(broken, fmt.Sprintf("%s has no %v any more", at, v))
			}
		}
	default:
		if !reflect.DeepEqual(published, now) {
			broken = append(broken, fmt.Sprintf("%s was %v and is %v", at, published, now))
		}
	}
	return broken
}

func TestAPromiseOfTheSchemaThatIsBrokenIsNamed(t *testing.T) {
	t.Parallel()
	was := map[string]any{"properties": map[string]any{"a": map[string]any{"type": "string"}, "b": true}, "required": []any{"a"}}
	for name, now := range map[string]any{
		"/properties/b is gone":    map[string]any{"properties": map[string]any{"a": map[string]any{"type": "string"}}, "required": []any{"a"}},
		"was string and is number": map[string]any{"properties": map[string]any{"a": map[string]any{"type": "number"}, "b": true}, "required": []any{"a"}},
		"has no a any more":        map[string]any{"properties": was["properties"], "required": []any{}},
	} {
		if got := kept("", was, now); len(got) != 1 || !strings.Contains(got[0], name) {
			t.Errorf("%q is told as %q", name, got)
		}
	}
	more := map[string]any{"properties": map[string]any{"a": map[string]any{"type": "string"}, "b": true, "c": true}, "required": []any{"a", "c"}}
	if got := kept("", was, more); len(got) > 0 {
		t.Errorf("an addition is told as %q", got)
	}
}

// against validates a report and says what is wrong.
func against(t *testing.T, raw []byte) error {
	t.Helper()
	schema, err := checker.UnmarshalJSON(bytes.NewReader(report.SchemaFile()))
	if err != nil {
		t.Fatal(err)
	}
	c := checker.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := checker.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(doc)
}

func TestTheReportFitsItsSchema(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	raw, err := report.JSON(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if err := against(t, raw); err != nil {
		t.Errorf("the report does not fit: %v", err)
	}
	for name, change := range map[string]func(map[string]any){
		"another version":       func(m map[string]any) { m["schema"] = "tourniquet/report/v2" },
		"no timeline":           func(m map[string]any) { delete(m, "timeline") },
		"a summary of numbers":  func(m map[string]any) { m["summary"] = []any{1} },
		"a mark without a name": func(m map[string]any) { delete(m["marks"].([]any)[0].(map[string]any), "name") },
		"a time that is none":   func(m map[string]any) { m["zero"] = "soon" },
	} {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		spoiled, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if against(t, spoiled) == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
