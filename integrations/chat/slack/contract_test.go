package slack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contract is Slack's own description of one method, cut to what is checked here.
type contract struct {
	Scope struct{ Bot []string }
	Args  struct {
		Required   []string
		Properties map[string]any
	}
	Errors map[string]any
}

// commonErrors may come from every method, says Slack's documentation.
const commonErrors = "not_authed invalid_auth account_inactive token_revoked token_expired no_permission missing_scope not_allowed_token_type " +
	"invalid_arguments invalid_form_data internal_error fatal_error ratelimited service_unavailable request_timeout team_added_to_org"

// auditor stands between the product and the sandbox. Whatever one sends and the other answers has to be in Slack's own
// descriptions, where they lie beside the sources; without them it looks at nothing.
type auditor struct {
	t     *testing.T
	known map[string]contract
}

func newAuditor(t *testing.T) auditor {
	t.Helper()
	a := auditor{t: t, known: map[string]contract{}}
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "contracts", "slack", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c contract
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		a.known[strings.TrimSuffix(filepath.Base(file), ".json")] = c
	}
	return a
}

func (a auditor) RoundTrip(r *http.Request) (*http.Response, error) {
	method, isAPI := strings.CutPrefix(r.URL.Path, "/api/")
	c, described := a.known[method]
	if isAPI {
		a.request(r, method, c, described)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && isAPI && described && res.StatusCode == http.StatusOK {
		a.answer(res, method, c)
	}
	return res, err
}

func (a auditor) request(r *http.Request, method string, c contract, described bool) {
	given := map[string]bool{"token": r.Header.Get("Authorization") != ""}
	for name := range r.URL.Query() {
		given[name] = true
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			a.t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		a.drawn(r, method, body)
		var fields map[string]any
		if json.Unmarshal(body, &fields) == nil {
			for name := range fields {
				given[name] = true
			}
		} else if form, err := url.ParseQuery(string(body)); err == nil {
			for name := range form {
				given[name] = true
			}
		}
	}
	if !described {
		return
	}
	for name := range given {
		if _, ok := c.Args.Properties[name]; !ok {
			a.t.Errorf("%s has no argument %q; it has %v", method, name, slices.Sorted(maps.Keys(c.Args.Properties)))
		}
	}
	for _, name := range c.Args.Required {
		if !given[name] {
			a.t.Errorf("%s was called without its argument %q", method, name)
		}
	}
}

func (a auditor) answer(res *http.Response, method string, c contract) {
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return // it was cut off on purpose
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	var said struct {
		OK    bool
		Error string
	}
	if json.Unmarshal(body, &said) != nil || said.OK {
		return
	}
	if _, ok := c.Errors[said.Error]; !ok && !slices.Contains(strings.Fields(commonErrors), said.Error) {
		a.t.Errorf("the sandbox refuses %s with %q, which Slack never does", method, said.Error)
	}
}
