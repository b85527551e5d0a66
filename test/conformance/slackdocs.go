package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// slackDocs is Slack's own list of methods: arguments, answers and errors.
type slackDocs struct{ methods map[string]slackMethod }

type slackMethod struct {
	Method string `json:"http_method"`
	Args   struct {
		Required   []string
		Properties map[string]slackField
	}
	Output *struct {
		Required   []string
		Properties map[string]slackField
	}
	Errors map[string]any
}

type slackField struct{ Type string }

// slackEverywhere may come from every method, says Slack's documentation of errors.
const slackEverywhere = "not_authed invalid_auth account_inactive token_revoked token_expired no_permission missing_scope not_allowed_token_type " +
	"invalid_arguments invalid_form_data internal_error fatal_error ratelimited service_unavailable request_timeout team_added_to_org"

func loadSlack(folder string) (*slackDocs, error) {
	files, err := filepath.Glob(filepath.Join(folder, "slack", "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("slack: no method is described in the folder")
	}
	d := &slackDocs{methods: map[string]slackMethod{}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var m slackMethod
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("slack/%s: %w", filepath.Base(file), err)
		}
		d.methods[strings.TrimSuffix(filepath.Base(file), ".json")] = m
	}
	return d, nil
}

func (d *slackDocs) check(x exchange) (verdict, bool) {
	name, isAPI := strings.CutPrefix(x.request.URL.Path, "/api/")
	m, known := d.methods[name]
	if x.service != "slack" || !isAPI || !known {
		return verdict{}, false
	}
	v := verdict{call: x.request.Method + " /api/" + name, by: "slack/" + name + ".json"}
	given := slackArguments(x)
	for _, arg := range slices.Sorted(maps.Keys(given)) {
		if _, ok := m.Args.Properties[arg]; !ok {
			v.fault("it has no argument %q", arg)
		}
	}
	for _, arg := range m.Args.Required {
		if !given[arg] {
			v.fault("its argument %q is missing", arg)
		}
	}
	value, ok := decoded(x.answer)
	said, isObject := value.(map[string]any)
	if !ok || !isObject {
		v.fault("the answer is no JSON object")
		return v, true
	}
	v.answer = true
	if said["ok"] == true {
		m.output(&v, said)
		return v, true
	}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if !slices.Contains([]string{"ok", "error", "errors", "needed", "provided", "warning", "response_metadata"}, name) {
			v.fault("the refusal has a field %q", name)
		}
	}
	code, _ := said["error"].(string)
	if _, listed := m.Errors[code]; !listed && !slices.Contains(strings.Fields(slackEverywhere), code) {
		v.fault("it is refused with %q, which Slack never does", code)
	}
	return v, true
}

// output holds an answer's top level; below, Slack's list refers to schemas that it does not hold.
func (m slackMethod) output(v *verdict, said map[string]any) {
	if m.Output == nil {
		return
	}
	for _, name := range m.Output.Required {
		if _, has := said[name]; !has {
			v.fault("the answer lacks %q", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		field, described := m.Output.Properties[name]
		ok := true
		switch {
		case !described:
			ok = slices.Contains([]string{"ok", "warning", "response_metadata"}, name)
		case field.Type == "string":
			_, ok = said[name].(string)
		case field.Type == "boolean":
			_, ok = said[name].(bool)
		case field.Type == "array":
			_, ok = said[name].([]any)
		case field.Type == "object":
			_, ok = said[name].(map[string]any)
		}
		if !ok {
			v.fault("the answer's %q is not described so", name)
		}
	}
}

// slackArguments are the names of what a call carries in query, form, JSON and header.
func slackArguments(x exchange) map[string]bool {
	given := map[string]bool{}
	if x.request.Header.Get("Authorization") != "" {
		given["token"] = true
	}
	for name := range x.request.URL.Query() {
		given[name] = true
	}
	var loose map[string]any
	if json.Unmarshal(x.body, &loose) == nil {
		for name := range loose {
			given[name] = true
		}
	} else if form, err := url.ParseQuery(string(x.body)); err == nil {
		for name := range form {
			given[name] = true
		}
	}
	return given
}
