package github

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Kinds of dependent that this store serves.
const (
	KindActions     = "github_actions_secret"
	KindEnvironment = "github_environment_secret"
)

var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)

// place is where a secret lives. The environment path is today's: go-github v60 still calls one that is gone.
type place struct{ owner, repo, environment, name string }

func placeOf(d incident.Dependent) (place, error) {
	p := place{d.Address["owner"], d.Address["repo"], d.Address["environment"], d.Address["name"]}
	err := api.CheckRepo(p.owner, p.repo)
	switch {
	case err != nil:
	case !secretName.MatchString(p.name):
		err = fmt.Errorf("%q is not the name of a GitHub secret", p.name)
	case d.Kind == KindActions && p.environment != "":
		err = fmt.Errorf("it names the environment %q but its kind is %s: use %s", p.environment, KindActions, KindEnvironment)
	case d.Kind == KindActions:
	case d.Kind != KindEnvironment:
		err = fmt.Errorf("its kind %q is not one of %s, %s", d.Kind, KindActions, KindEnvironment)
	case p.environment == "" || p.environment == "." || p.environment == "..":
		err = fmt.Errorf("a %s needs the address field \"environment\"", KindEnvironment)
	}
	if err != nil {
		return place{}, keys.Permanent(fmt.Errorf("dependent %q: %w", d.ID, err))
	}
	return p, nil
}

func (p place) String() string {
	s := p.owner + "/" + p.repo
	if p.environment != "" {
		s += " environment " + p.environment
	}
	return s + " secret " + p.name
}

func (p place) path(last string) string {
	if p.environment != "" {
		return api.Path("repos", p.owner, p.repo, "environments", p.environment, "secrets", last)
	}
	return api.Path("repos", p.owner, p.repo, "actions", "secrets", last)
}

// job is a workflow that puts the new value to use.
type job struct {
	owner, repo, workflow, ref string
	inputs                     map[string]string
}

// deployOf reads the redeploy map: workflow, ref, and optionally owner, repo and input.NAME.
func deployOf(d incident.Dependent) (j job, wanted bool, err error) {
	if len(d.Redeploy) == 0 {
		return job{}, false, nil
	}
	if j, err = jobOf(d, d.Redeploy); err == nil && j.ref == "" {
		err = keys.Permanent(fmt.Errorf("dependent %q: redeploy needs \"ref\"", d.ID))
	}
	return j, err == nil, err
}

func jobOf(d incident.Dependent, r map[string]string) (job, error) {
	j := job{owner: or(r["owner"], d.Address["owner"]), repo: or(r["repo"], d.Address["repo"]), workflow: r["workflow"], ref: r["ref"]}
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

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
