package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"cloud.google.com/go/ai/generativelanguage/apiv1beta/generativelanguagepb"
	anthropic "github.com/anthropics/anthropic-sdk-go"
	vault "github.com/hashicorp/vault/api"
	openai "github.com/openai/openai-go/v3"
	slackapi "github.com/slack-go/slack"
	"golang.org/x/oauth2"
	"google.golang.org/protobuf/encoding/protojson"
	appsv1 "k8s.io/api/apps/v1"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
)

// library is an official client library, whose types describe the calls of a service that publishes no other description.
type library struct {
	name, service string
	calls         []libraryCall
}

type libraryCall struct {
	name   string
	method string
	path   *regexp.Regexp
	query  []string                   // names that the library sends
	body   func(body []byte) []string // nil: none is sent
	answer func(body []byte) []string
}

func (l library) check(x exchange) (verdict, bool) {
	if x.service != l.service {
		return verdict{}, false
	}
	i := slices.IndexFunc(l.calls, func(c libraryCall) bool {
		return c.method == x.request.Method && c.path.MatchString(x.request.URL.EscapedPath())
	})
	if i < 0 {
		return verdict{}, false
	}
	c := l.calls[i]
	v := verdict{call: c.name, by: l.name}
	for _, name := range slices.Sorted(maps.Keys(x.request.URL.Query())) {
		if !slices.Contains(c.query, name) && !slices.Contains(c.query, brackets(name)) {
			v.fault("the query has a parameter %q that the library does not know", name)
		}
	}
	switch {
	case len(x.body) == 0:
	case c.body == nil:
		v.fault("a body is sent, and the library sends none")
	default:
		v.faults = append(v.faults, prefixed("the body: ", c.body(x.body))...)
	}
	if good(x.status) && c.answer != nil {
		v.faults = append(v.faults, prefixed("the answer: ", c.answer(x.answer))...)
		v.answer = true
	}
	return v, true
}

func prefixed(with string, faults []string) []string {
	for i := range faults {
		faults[i] = with + faults[i]
	}
	return faults
}

// libraries are those whose types describe a whole call.
func libraries() []description {
	return []description{anthropicLibrary(), openaiLibrary(), slackLibrary(), kubernetesLibrary(), vaultLibrary(), geminiLibrary(), tokenLibrary()}
}

func anthropicLibrary() library {
	one := stainless[anthropic.APIKey]
	return library{"anthropic-sdk-go", "anthropic", []libraryCall{
		{"GET /v1/organizations/api_keys", http.MethodGet, at(`/v1/organizations/api_keys`), names[anthropic.OrganizationAPIKeyListParams]("query"), nil, paged(one)},
		{"GET /v1/organizations/api_keys/{id}", http.MethodGet, at(`/v1/organizations/api_keys/[^/]+`), nil, nil, one},
		{"POST /v1/organizations/api_keys/{id}", http.MethodPost, at(`/v1/organizations/api_keys/[^/]+`), nil, only(names[anthropic.OrganizationAPIKeyUpdateParams]("json")), one},
		{"GET /v1/organizations/invites", http.MethodGet, at(`/v1/organizations/invites`), names[anthropic.OrganizationInviteListParams]("query"), nil, paged(stainless[anthropic.OrganizationInvite])},
		{"GET /v1/models", http.MethodGet, at(`/v1/models`), names[anthropic.ModelListParams]("query"), nil, paged(stainless[anthropic.ModelInfo])},
	}}
}

func openaiLibrary() library {
	return library{"openai-go", "openai", []libraryCall{
		{"GET /v1/models", http.MethodGet, at(`/v1/models`), nil, nil, paged(stainless[openai.Model])},
	}}
}

// slackLibrary knows two calls that Slack's list of methods leaves out.
func slackLibrary() library {
	type channels struct {
		slackapi.SlackResponse
		Channels []slackapi.Channel        `json:"channels"`
		Metadata slackapi.ResponseMetadata `json:"response_metadata"`
	}
	return library{"slack-go", "slack", []libraryCall{
		{"POST /api/conversations.list", http.MethodPost, at(`/api/conversations.list`), nil, asForm("token", "cursor", "limit", "types", "exclude_archived", "team_id"), strict[channels]},
		{"POST /respond/{id}", http.MethodPost, at(`/respond/[^/]+`), nil, strict[slackapi.WebhookMessage], nil},
	}}
}

func kubernetesLibrary() library {
	secret, deployment, set, daemon := strict[corev1.Secret], strict[appsv1.Deployment], strict[appsv1.StatefulSet], strict[appsv1.DaemonSet]
	object := func(group, kind string, of func([]byte) []string) []libraryCall {
		name, path := " "+group+"/namespaces/{namespace}/"+kind+"/{name}", at(regexp.QuoteMeta(group)+`/namespaces/[^/]+/`+kind+`/[^/]+`)
		return []libraryCall{
			{"GET" + name, http.MethodGet, path, []string{"timeout"}, nil, of},
			{"PATCH" + name, http.MethodPatch, path, []string{"fieldManager", "timeout"}, of, of},
		}
	}
	const apps, selves = "/apis/apps/v1", "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	return library{"k8s.io/api", "kubernetes", slices.Concat(object("/api/v1", "secrets", secret),
		object(apps, "deployments", deployment), object(apps, "statefulsets", set), object(apps, "daemonsets", daemon),
		[]libraryCall{{"POST " + selves, http.MethodPost, at(regexp.QuoteMeta(selves)), []string{"timeout"}, strict[authv1.SelfSubjectReview], strict[authv1.SelfSubjectReview]}})}
}

// vaultLibrary knows the envelope of every answer; what lies inside belongs to the secrets engine.
func vaultLibrary() library {
	envelope := strict[vault.Secret]
	type write struct {
		Data    map[string]any `json:"data"`
		Options struct {
			CAS int `json:"cas"`
		} `json:"options"`
	}
	return library{"vault/api", "vault", []libraryCall{
		{"GET /v1/{mount}/data/{path...}", http.MethodGet, at(`/v1/[^/]+/data/.+`), []string{"version"}, nil, envelope},
		{"PUT /v1/{mount}/data/{path...}", http.MethodPut, at(`/v1/[^/]+/data/.+`), nil, strict[write], envelope},
		{"GET /v1/auth/token/lookup-self", http.MethodGet, at(`/v1/auth/token/lookup-self`), nil, nil, envelope},
	}}
}

// tokenLibrary is Google's own client of its token endpoint, which no discovery document has.
func tokenLibrary() library {
	return library{"golang.org/x/oauth2", "oauth2", []libraryCall{
		{"POST /token", http.MethodPost, at(`/token`), nil, asForm("grant_type", "assertion"), strict[oauth2.Token]},
	}}
}

// geminiLibrary reads Google's protocol buffers, from which the JSON of the Gemini API is made.
func geminiLibrary() library {
	return library{"cloud.google.com/go/ai", "generativelanguage", []libraryCall{
		{"GET /v1beta/models", http.MethodGet, at(`/v1beta/models`), []string{"pageSize", "pageToken"}, nil, func(body []byte) []string {
			return fault(protojson.Unmarshal(body, &generativelanguagepb.ListModelsResponse{}))
		}},
	}}
}

func at(path string) *regexp.Regexp { return regexp.MustCompile("^" + path + "$") }

func fault(err error) []string {
	if err == nil {
		return nil
	}
	return []string{strings.ReplaceAll(err.Error(), "\u00a0", " ")}
}

// names are those that a type's fields have under a tag.
func names[T any](tag string) (out []string) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get(tag), ","); name != "" && name != "-" {
			out = append(out, name)
		}
	}
	return out
}

// only takes JSON objects with these fields.
func only(fields []string) func([]byte) []string {
	return func(body []byte) (faults []string) {
		var sent map[string]json.RawMessage
		if err := json.Unmarshal(body, &sent); err != nil {
			return []string{"it is no JSON object"}
		}
		for name := range sent {
			if !slices.Contains(fields, name) {
				faults = append(faults, fmt.Sprintf("it has a field %q that the library does not know", name))
			}
		}
		return faults
	}
}

// strict takes JSON that fits the type, and nothing beside it.
func strict[T any](body []byte) []string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var into T
	if err := d.Decode(&into); err != nil {
		return []string{err.Error()}
	}
	if _, err := d.Token(); err != io.EOF {
		return []string{"something follows the JSON value"}
	}
	return nil
}
