package playbooks_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/xeipuuv/gojsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/schema"
)

// judges are two validators that share no code: each says what it holds against a document, or nothing.
func judges(t *testing.T, w playbooks.World) map[string]func(any) string {
	t.Helper()
	raw, err := schema.Of(w)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("playbook.json", doc); err != nil {
		t.Fatal(err)
	}
	one, err := c.Compile("playbook.json")
	if err != nil {
		t.Fatal(err)
	}
	loader := gojsonschema.NewSchemaLoader()
	loader.Draft, loader.Validate = gojsonschema.Draft7, true
	two, err := loader.Compile(gojsonschema.NewBytesLoader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(any) string{
		"santhosh-tekuri": func(doc any) string {
			if err := one.Validate(doc); err != nil {
				return err.Error()
			}
			return ""
		},
		"xeipuuv": func(doc any) string {
			res, err := two.Validate(gojsonschema.NewGoLoader(doc))
			if err != nil {
				return err.Error()
			}
			var out []string
			for _, e := range res.Errors() {
				out = append(out, e.String())
			}
			return strings.Join(out, "; ")
		},
	}
}

// asJSON is a playbook as an editor sees it; ok is false where it is not YAML.
func asJSON(t *testing.T, src []byte) (doc any, ok bool) {
	t.Helper()
	var root yaml.Node
	if yaml.Unmarshal(src, &root) != nil {
		return nil, false
	}
	asText(&root)
	if root.Decode(&doc) != nil {
		return nil, false
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, false
	}
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	return doc, err == nil
}

// asText leaves dates as they are written: to lint and to YAML 1.2 they are texts.
func asText(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, c := range n.Content {
		asText(c)
	}
}

func TestTheSchemaAcceptsEveryGoodPlaybookInTheEyesOfTwoValidators(t *testing.T) {
	t.Parallel()
	good := samples(t, "ok")
	files, err := fs.Glob(playbooks.Library, "library/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no library: %v", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.yaml") {
			good[f], err = playbooks.Library.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for judge, says := range judges(t, world()) {
		for name, src := range good {
			doc, ok := asJSON(t, src)
			if why := says(doc); !ok || why != "" {
				t.Errorf("%s refuses %s: %s", judge, name, why)
			}
		}
	}
}

func TestTheSchemaSeesOfTheBrokenPlaybooksWhatAShapeCanShow(t *testing.T) {
	t.Parallel()
	sees := map[string]string{}
	for _, r := range playbooks.Rules() {
		sees[r.Name] = r.Schema
	}
	judge := judges(t, world())
	refused := 0
	for name, src := range samples(t, broken()...) {
		doc, ok := asJSON(t, src)
		if !ok {
			continue
		}
		must, may := false, false
		_, faults := playbooks.Compile(name, src, world())
		for _, f := range faults {
			must = must || sees[f.Rule] == playbooks.SchemaSees && f.Severity == diag.Error
			may = may || sees[f.Rule] != ""
		}
		for who, says := range judge {
			why := says(doc)
			switch {
			case must && why == "":
				t.Errorf("%s accepts %s", who, name)
			case !may && why != "":
				t.Errorf("%s refuses %s, although no rule says that a schema could: %s", who, name, why)
			}
		}
		if (judge["xeipuuv"](doc) == "") != (judge["santhosh-tekuri"](doc) == "") {
			t.Errorf("the validators do not agree about %s", name)
		}
		if judge["xeipuuv"](doc) != "" {
			refused++
		}
	}
	if refused < 15 {
		t.Errorf("the schema sees only %d broken playbooks", refused)
	}
}

func TestTheSchemaNamesEveryActionInputKeyAndDefault(t *testing.T) {
	t.Parallel()
	raw, err := schema.Of(world())
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties  map[string]any `json:"properties"`
		Definitions map[string]struct {
			Description string
			Properties  map[string]struct {
				Description string
				Enum        []string
				Docs        []string `json:"enumDescriptions"`
				Default     any
			}
		}
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	uses := s.Definitions["step"].Properties["uses"]
	for name, card := range catalog() {
		i := slices.Index(uses.Enum, name)
		if i < 0 || uses.Docs[i] == "" {
			t.Errorf("uses does not offer %s", name)
		}
		for _, f := range card.Inputs {
			if _, ok := s.Definitions["with."+name].Properties[f.Name]; !ok {
				t.Errorf("with of %s does not offer %s", name, f.Name)
			}
		}
	}
	for _, c := range playbooks.Clauses() {
		where := s.Definitions[strings.Split(c.Name, ".")[0]].Properties
		for _, k := range c.Keys {
			if c.Name == "playbook" {
				if s.Properties[k.Name] == nil {
					t.Errorf("the schema has no key %s", k.Name)
				}
				continue
			}
			got, ok := where[k.Name]
			if !ok || got.Description == "" || k.Default != "" && got.Default == nil {
				t.Errorf("%s: the key %s is %+v", c.Name, k.Name, got)
			}
		}
	}
	if got := s.Definitions["seat"].Properties["group"].Enum; !slices.Contains(got, "secops") {
		t.Errorf("groups are offered as %v", got)
	}
}
