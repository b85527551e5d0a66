package inventory

import (
	"maps"
	"slices"
)

// kind says what a dependent of this kind needs to be found. The last address field names the secret itself, unless it is
// optional.
type kind struct {
	address  []string // required, in the order of the default id
	optional []string
	repo     bool // a workflow of its own repository may redeploy it
	cluster  bool // a workload of its own namespace may be restarted
}

var kinds = map[string]kind{
	"github_actions_secret":      {address: []string{"owner", "repo", "name"}, repo: true},
	"github_environment_secret":  {address: []string{"owner", "repo", "environment", "name"}, repo: true},
	"github_organization_secret": {address: []string{"org", "name"}},
	"github_dependabot_secret":   {address: []string{"owner", "repo", "name"}, repo: true},
	"github_codespaces_secret":   {address: []string{"owner", "repo", "name"}, repo: true},
	"kubernetes_secret":          {address: []string{"namespace", "name", "key"}, optional: []string{"cluster"}, cluster: true},
	"vault_kv":                   {address: []string{"mount", "path", "field"}, optional: []string{"namespace"}},
	"aws_secret":                 {address: []string{"region", "name"}, optional: []string{"field"}},
	"gcp_secret":                 {address: []string{"project", "name"}},
}

// checks are the ways of checking a dependent and what each needs. store: what the store holds can be read, and is the new
// key where that is given. usage: the provider has seen the new key.
var checks = map[string][]string{"workflow": nil, "rollout": nil, "http": {"url"}, "usage": nil, "store": nil}

// workloads are what a rollout restarts.
var workloads = []string{"deployment", "statefulset", "daemonset"}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
