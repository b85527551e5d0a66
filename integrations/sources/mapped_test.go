package sources_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

// mapping reads one as the configuration would, places included.
func mapping(t testing.TB, file string, text []byte) sources.Mapping {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	m := sources.Mapping{File: file, Source: text, At: sources.Text{Line: 1, Column: 1}, Fields: map[string]sources.Text{}}
	top := root.Content[0]
	for i := 0; i < len(top.Content); i += 2 {
		switch key, n := top.Content[i].Value, top.Content[i+1]; key {
		case "each":
			m.Each = placed(n)
		case "map":
			for j := 0; j < len(n.Content); j += 2 {
				m.Fields[n.Content[j].Value] = placed(n.Content[j+1])
			}
		case "tests":
			for _, one := range n.Content {
				var v struct {
					Finding any
					Headers map[string]string
					Expect  map[string]any
				}
				if err := one.Decode(&v); err != nil {
					t.Fatal(err)
				}
				m.Tests = append(m.Tests, sources.MappingTest{Name: placed(one.Content[1]), Finding: v.Finding, Headers: v.Headers, Expect: v.Expect})
			}
		}
	}
	return m
}

func placed(n *yaml.Node) sources.Text {
	return sources.Text{Value: n.Value, Line: n.Line, Column: n.Column}
}

// Every file of testdata/mapped is a mapping; beside it lies what its author reads, at file:line:column.
func TestEveryMappingSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/mapped/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d mappings: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, faults := sources.NewMapped("gateway", mapping(t, filepath.Base(file), text))
			got := diag.Text(text, faults)
			if len(faults) == 0 {
				c := s.Describe()
				got = "good\n"
				d, err := s.Decode(context.Background(), sources.Request{Headers: http.Header{"Content-Type": {"application/json"}, "X-Event-Id": {"77"}}, Body: c.Example, At: arrival})
				if err != nil || c.Name != "gateway" || c.Path != "/v1/alerts/gateway" {
					t.Errorf("its own example: %v", err)
				}
				got += string(shown(d, nil))
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".out", []byte(got))
		})
	}
}

const bounded = `
each: finding.list
map: { id: "${{ item.id }}", kind: key.leaked, title: "${{ item.title }}", key.secret: "${{ item.secret }}", severity: "${{ item.level }}" }
tests: [{ name: t, finding: { list: [{ id: 1, title: x, secret: "", level: warn }] }, expect: { id: "1", severity: medium } }]
`

func TestAMappingStaysWithinItsBoundsAndQuotesNothing(t *testing.T) {
	t.Parallel()
	s, faults := sources.NewMapped("gateway", mapping(t, "x.yaml", []byte(bounded)))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	secret := randomText(t)
	many := `{"list":[` + strings.Repeat(`{"id":"a","title":"t"},`, 5000) + `{"id":"b","title":"t"}]}`
	for name, body := range map[string]string{
		"not JSON": "x", "no list": `{"list":3}`, "a map for a text": `{"list":[{"id":{"a":"` + secret + `"},"title":"t"}]}`, "an item that is none": `{"list":["` + secret + `"]}`,
		"too many": many, "no title": `{"list":[{"id":"1"}]}`, "twice": `{"list":[],"list":[]}`, "deep": strings.Repeat(`{"list":`, 100) + "1" + strings.Repeat("}", 100),
		"a short secret": `{"list":[{"id":"1","title":"t","secret":"abc"}]}`,
	} {
		_, err := s.Decode(context.Background(), sources.Request{Headers: http.Header{}, Body: []byte(body), At: arrival})
		var refused *sources.RefusedError
		if !errors.As(err, &refused) || refused.Status != 422 || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, err := s.Decode(context.Background(), sources.Request{Headers: http.Header{}, Body: []byte(`{"list":[{"id":7,"title":"t","secret":"` + secret + `","level":"nonsense"}]}`), At: arrival})
	if err != nil || string(d.Findings[0].Secret) != secret || d.Findings[0].Alert.Severity != "high" || s.Describe().Keeps {
		t.Errorf("%+v, %v", d, err)
	}
}

func FuzzMapped(f *testing.F) {
	s, faults := sources.NewMapped("gateway", mapping(f, "x.yaml", []byte(bounded)))
	if len(faults) > 0 {
		f.Fatal(faults)
	}
	f.Add([]byte(`{"list":[{"id":1,"title":"x","secret":"abcdefgh","level":"warn"}]}`))
	f.Add([]byte(`[{"list":null}]`))
	f.Fuzz(func(t *testing.T, body []byte) { sane(t, s, "", body) })
}
