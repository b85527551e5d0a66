package inventory

import (
	"maps"
	"slices"
)

// kind says what a dependent of this kind needs to be found. The last address field names the secret itself.
type kind struct {
	address  []string // required, in the order of the default id
	optional []string
	redeploy []string // required once redeploy is given
}

var kinds = map[string]kind{
	"github_actions_secret":     {address: []string{"owner", "repo", "name"}, redeploy: []string{"workflow", "ref"}},
	"github_environment_secret": {address: []string{"owner", "repo", "environment", "name"}, redeploy: []string{"workflow", "ref"}},
	"kubernetes_secret":         {address: []string{"namespace", "name", "key"}, optional: []string{"cluster"}},
	"vault_kv":                  {address: []string{"mount", "path", "field"}, optional: []string{"namespace"}},
	"aws_secret":                {address: []string{"region", "name"}, optional: []string{"field"}},
	"gcp_secret":                {address: []string{"project", "name"}},
}

// checks are the ways of checking a dependent and what each needs.
var checks = map[string][]string{"workflow": nil, "http": {"url"}, "usage": nil}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
