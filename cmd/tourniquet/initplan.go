package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// plan is what init writes and what it tells people to do then.
type plan struct {
	Files       []planFile     `json:"files"`
	Environment []planVariable `json:"environment"`
	Next        []string       `json:"next"`
}

type planFile struct {
	Path string `json:"path"`
	Text string `json:"-"`
}

type planVariable struct {
	Name string `json:"name"`
	What string `json:"what"`
}

//go:embed init.tmpl
var initTemplate string

const emptyInventory = `# The keys that you know: owner, weight, and where their values are used. A key that is not listed is contained all the
# same; what is listed is also replaced where it is used. tourniquet inventory check reads this file.
#
# keys:
#   - provider: gemini
#     account: prod
#     id: projects/1/locations/global/keys/2
#     owner: ana                       # a person of tourniquet.yaml
#     critical: false                  # true: nothing is done to it without people
#     dependents:
#       - kind: github_actions_secret
#         owner: acme
#         repo: shop
#         name: GEMINI_API_KEY
#         redeploy: { workflow: deploy.yml, ref: main }
#         check: { kind: http, url: "https://shop.example.com/healthz" }
keys: []
`

// planOf turns answers into files; nothing is written yet.
func planOf(a answers) (*plan, error) {
	persons, err := personsOf(a.Persons)
	if err != nil {
		return nil, err
	}
	for _, all := range []struct{ what, parts string }{
		{"Slack needs all of --slack-channel, --slack-team and --slack-app", some(a.SlackChannel, a.SlackTeam, a.SlackApp)},
		{"GitHub needs both --github-owner and --github-repo", some(a.GitHubOwner, a.GitHubRepo)},
		{"OpenAI needs both --openai-account and --openai-project", some(a.OpenAIAccount, a.OpenAIProject)},
	} {
		if all.parts == "part" {
			return nil, misuse("%s", all.what)
		}
	}
	if a.SlackHTTP && a.URL == "" {
		return nil, misuse("--slack-http needs --url, the address where Slack reaches us")
	}
	text, err := render(a, persons)
	if err != nil {
		return nil, err
	}
	c, err := checkPlan(text)
	if err != nil {
		return nil, err
	}
	p := &plan{Environment: variables(c), Files: []planFile{
		{filepath.Join(a.Dir, "tourniquet.yaml"), text}, {filepath.Join(a.Dir, "inventory.yaml"), emptyInventory},
	}}
	at := ""
	if a.SlackHTTP {
		at = a.URL
	}
	body, err := slack.Manifest(at, a.SlackRooms)
	if err != nil {
		return nil, misuse("%w", err)
	}
	p.Files = append(p.Files, planFile{filepath.Join(a.Dir, "slack-manifest.yaml"), string(body)})
	p.Next = nextSteps(a, c, p)
	return p, nil
}

// some says whether all, part or none of the values are given.
func some(values ...string) string {
	given := 0
	for _, v := range values {
		if v != "" {
			given++
		}
	}
	switch given {
	case 0:
		return "none"
	case len(values):
		return "all"
	}
	return "part"
}

// personsOf reads id:Name:SlackID.
func personsOf(list []string) ([]config.Person, error) {
	var out []config.Person
	var known []incident.Person
	for _, s := range list {
		parts := strings.Split(s, ":")
		if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
			return nil, misuse("--person takes id:Name or id:Name:SlackID, not %q", s)
		}
		parts = append(parts, "")
		out = append(out, config.Person{ID: parts[0], Name: parts[1], Slack: parts[2]})
		known = append(known, incident.Person{ID: parts[0], Name: parts[1], Slack: parts[2]})
	}
	if len(out) == 0 {
		return nil, misuse("say who decides, once for each person: --person id:Name:SlackID")
	}
	if _, err := people.New(known, nil, nil, time.Now); err != nil {
		return nil, misuse("%w", err)
	}
	return out, nil
}

func render(a answers, persons []config.Person) (string, error) {
	ids := []string{}
	for _, p := range persons {
		ids = append(ids, p.ID)
	}
	lead := orElse(a.Lead, ids[0])
	if !strings.Contains("\n"+strings.Join(ids, "\n")+"\n", "\n"+lead+"\n") {
		return "", misuse("--lead %q is none of the persons", lead)
	}
	policy, err := yaml.Marshal(map[string]signoff.Policy{"policy": signoff.DefaultPolicy()})
	if err != nil {
		return "", err
	}
	t, err := template.New("tourniquet.yaml").Funcs(template.FuncMap{"q": quoted}).Parse(initTemplate)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{"A": a, "Persons": persons, "IDs": ids, "Lead": lead, "Policy": string(policy)})
	return b.String(), err
}

// quoted writes a value so that it can be nothing but text in YAML.
func quoted(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// variables lists the environment variables that the configuration refers to.
func variables(c *config.Config) []planVariable {
	what := map[string]string{
		"slack.token": "bot token of the Slack app (xoxb-)", "slack.app_token": "app-level token with connections:write (xapp-)",
		"slack.signing_secret": "signing secret of the Slack app", "github.token": "GitHub token: issues, secret-scanning alerts, Actions secrets",
		"providers.gemini[0].access_token": "access token for Google's APIs", "providers.openai[0].admin_key": "admin key of the OpenAI organisation",
		"sources.github.secret": "secret of the GitHub webhook: 16 bytes or more of your own choice",
		"sources.generic.token": "bearer token for your own senders: long and random",
	}
	out := []planVariable{}
	for _, v := range valuesOf(c) {
		if name, ok := strings.CutPrefix(v.Value, "env://"); ok && v.Secret {
			out = append(out, planVariable{name, orElse(what[v.Name], v.Name)})
		}
	}
	return out
}

func nextSteps(a answers, c *config.Config, p *plan) []string {
	file := p.Files[0].Path
	steps := []string{"set these environment variables:"}
	if c.Slack == nil {
		steps = append(steps, "make the Slack app from "+p.Files[2].Path+", then give its ids to: tourniquet init --force --slack-channel … --slack-team … --slack-app …")
	}
	steps = append(steps, "tourniquet doctor --config "+file, "tourniquet serve --config "+file)
	if len(a.Persons) > 1 {
		steps = append(steps, "give everybody a personal token: tourniquet person token --config "+file+" --for ID --issued-by SOMEBODY-ELSE")
	}
	steps = append(steps, "mode observe does nothing to your keys; when what it plans is right, write mode: enforce")
	sizes := map[string]int{}
	for name, g := range c.Groups {
		sizes[name] = len(g.People)
	}
	if err := c.Policy.Validate(sizes); err != nil {
		steps = append(steps, "before that, mend what enforce refuses: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return steps
}
