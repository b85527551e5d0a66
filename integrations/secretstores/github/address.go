package github

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Kinds of dependent that this store serves.
const (
	KindActions      = "github_actions_secret"
	KindEnvironment  = "github_environment_secret"
	KindOrganization = "github_organization_secret"
	KindDependabot   = "github_dependabot_secret"
	KindCodespaces   = "github_codespaces_secret"
)

var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)

// place is where a secret lives: the segments of its collection, and its name. The environment path is today's:
// go-github v60 still calls one that is gone.
type place struct {
	kind, name string
	segments   []string
}

func placeOf(d incident.Dependent) (place, error) {
	a := d.Address
	p := place{kind: d.Kind, name: a["name"]}
	err := owned(d.Kind, a)
	switch {
	case err != nil:
	case !secretName.MatchString(p.name):
		err = fmt.Errorf("%q is not the name of a GitHub secret", p.name)
	case d.Kind == KindEnvironment:
		p.segments = []string{"repos", a["owner"], a["repo"], "environments", a["environment"], "secrets"}
	case d.Kind == KindOrganization:
		p.segments = []string{"orgs", a["org"], "actions", "secrets"}
	default:
		family := map[string]string{KindActions: "actions", KindDependabot: "dependabot", KindCodespaces: "codespaces"}[d.Kind]
		p.segments = []string{"repos", a["owner"], a["repo"], family, "secrets"}
	}
	if err != nil {
		return place{}, keys.Permanent(fmt.Errorf("dependent %q: %w", d.ID, err))
	}
	return p, nil
}

// owned checks what stands above the secret.
func owned(kind string, a map[string]string) error {
	switch {
	case !slices.Contains(allKinds(), kind):
		return fmt.Errorf("its kind %q is not one of %s", kind, strings.Join(allKinds(), ", "))
	case kind == KindOrganization:
		return api.CheckRepo(a["org"], "x")
	case a["environment"] != "" && kind != KindEnvironment:
		return fmt.Errorf("it names the environment %q but its kind is %s: use %s", a["environment"], kind, KindEnvironment)
	case kind == KindEnvironment && strings.Trim(a["environment"], ".") == "":
		return fmt.Errorf("a %s needs the address field \"environment\"", KindEnvironment)
	}
	return api.CheckRepo(a["owner"], a["repo"])
}

func allKinds() []string {
	return []string{KindActions, KindEnvironment, KindOrganization, KindDependabot, KindCodespaces}
}

func (p place) String() string {
	return strings.Join(p.segments[1:len(p.segments)-1], "/") + " secret " + p.name
}

func (p place) path(last ...string) string {
	return api.Path(append(slices.Clone(p.segments), last...)...)
}

// job is a workflow that puts the new value to use.
type job struct {
	owner, repo, workflow, ref string
	inputs                     map[string]string
}

// deployOf reads the redeploy map: workflow, ref, and optionally owner, repo and input.NAME.
func deployOf(d incident.Dependent) (j job, err error) {
	if j, err = jobOf(d, d.Redeploy); err == nil && j.ref == "" {
		err = keys.Permanent(fmt.Errorf("dependent %q: redeploy needs \"ref\"", d.ID))
	}
	return j, err
}

// jobOf names a workflow; a dependent in another store than GitHub names owner and repo beside it.
func jobOf(d incident.Dependent, r map[string]string) (job, error) {
	j := job{
		owner: cmp.Or(r["owner"], d.Address["owner"], d.Address["org"]), repo: cmp.Or(r["repo"], d.Address["repo"]),
		workflow: r["workflow"], ref: r["ref"],
	}
	if strings.Trim(j.workflow, ".") == "" {
		return job{}, keys.Permanent(fmt.Errorf("dependent %q: redeploy or check names no \"workflow\"", d.ID))
	}
	if err := api.CheckRepo(j.owner, j.repo); err != nil {
		return job{}, keys.Permanent(fmt.Errorf("dependent %q: redeploy: %w", d.ID, err))
	}
	for k, v := range r {
		if n, ok := strings.CutPrefix(k, "input."); ok {
			if j.inputs == nil {
				j.inputs = map[string]string{}
			}
			j.inputs[n] = v
		}
	}
	return j, nil
}

func (j job) path(last string) string {
	return api.Path("repos", j.owner, j.repo, "actions", "workflows", j.workflow, last)
}
