package apitest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type operation struct {
	Parameters []struct {
		Ref  string `json:"$ref"`
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
	Body struct {
		Content map[string]struct {
			Schema struct {
				Properties map[string]json.RawMessage `json:"properties"`
				Required   []string                   `json:"required"`
			} `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type description struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Parameters map[string]struct {
			Name string `json:"name"`
			In   string `json:"in"`
		} `json:"parameters"`
	} `json:"components"`
}

type checked struct {
	t    testing.TB
	d    *description
	next http.RoundTripper
}

// Contract wraps next so that every request must be one that GitHub describes: path, method, query and body fields.
// Where the descriptions are not beside the repository, requests pass unchecked.
func Contract(t testing.TB, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), "..", "shared", "contracts", "github-rest.json"))
	if err != nil {
		t.Log("GitHub's API description is not here: requests are not checked against it")
		return next
	}
	d := &description{}
	if err := json.Unmarshal(raw, d); err != nil {
		t.Fatalf("read GitHub's API description: %v", err)
	}
	return checked{t, d, next}
}

func root(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// RoundTrip implements http.RoundTripper.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	op, found := c.find(r)
	if !found {
		c.t.Errorf("%s %s is no call that GitHub describes", r.Method, r.URL.EscapedPath())
		return c.next.RoundTrip(r)
	}
	for q := range r.URL.Query() {
		if !slices.Contains(c.queries(op), q) {
			c.t.Errorf("%s %s does not take the query %q", r.Method, r.URL.Path, q)
		}
	}
	c.body(r, op)
	return c.next.RoundTrip(r)
}

func (c checked) find(r *http.Request) (operation, bool) {
	have := strings.Split(r.URL.EscapedPath(), "/")
	for path, methods := range c.d.Paths {
		want := strings.Split(path, "/")
		if len(want) != len(have) {
			continue
		}
		same := true
		for i := range want {
			same = same && (want[i] == have[i] || strings.HasPrefix(want[i], "{") && have[i] != "public-key")
		}
		if op, has := methods[strings.ToLower(r.Method)]; same && has {
			return op, true
		}
	}
	return operation{}, false
}

func (c checked) queries(op operation) []string {
	var names []string
	for _, p := range op.Parameters {
		if p.Ref != "" {
			shared := c.d.Components.Parameters[p.Ref[strings.LastIndex(p.Ref, "/")+1:]]
			p.Name, p.In = shared.Name, shared.In
		}
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

func (c checked) body(r *http.Request, op operation) {
	schema := op.Body.Content["application/json"].Schema
	if r.Body == nil {
		return
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Errorf("read the body of %s %s: %v", r.Method, r.URL.Path, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sent); err != nil {
		c.t.Errorf("the body of %s %s is not a JSON object", r.Method, r.URL.Path)
	}
	for _, must := range schema.Required {
		if _, has := sent[must]; !has {
			c.t.Errorf("%s %s is sent without %q", r.Method, r.URL.Path, must)
		}
	}
	for field := range sent {
		if _, known := schema.Properties[field]; !known {
			c.t.Errorf("%s %s is sent with %q, which GitHub does not describe", r.Method, r.URL.Path, field)
		}
	}
}
