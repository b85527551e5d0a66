package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

func (g *GitHub) routeOrganisations() {
	const p = "/orgs/{org}/actions/secrets"
	g.route("GET "+p+"/public-key", EffectObserve, g.withOrg(g.publicKey))
	g.route("GET "+p+"/{name}", EffectObserve, g.withOrg(g.orgSecretGet))
	g.route("GET "+p+"/{name}/repositories", EffectObserve, g.withOrg(g.orgSecretRepositories))
	g.route("PUT "+p+"/{name}", EffectFinal, g.withOrg(g.orgSecretPut))
}

// SetOrgSecret puts a value where the repositories of an organisation read it. ids are those that see it when visibility is
// "selected".
func (g *GitHub) SetOrgSecret(org, name, value, visibility string, ids ...int64) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	o := g.orgs[org]
	if o == nil {
		o = &githubRepo{owner: org, secrets: map[string]*githubSecret{}}
		o.rotate()
		g.orgs[org] = o
	}
	at := g.seconds()
	o.secrets["/"+name] = &githubSecret{value: value, created: at, updated: at, visibility: visibility, repositories: ids}
}

// OrgSecret is what the organisation holds now, and who sees it: the world's judgement.
func (g *GitHub) OrgSecret(org, name string) (value, visibility string, ids []int64) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	s := g.orgs[org].secrets["/"+name]
	return s.value, s.visibility, slices.Clone(s.repositories)
}

func (g *GitHub) withOrg(h func(*call, *githubRepo) reply) func(*call) reply {
	return func(c *call) reply {
		o := g.orgs[c.r.PathValue("org")]
		if o == nil {
			return githubRefusal(http.StatusNotFound)
		}
		return h(c, o)
	}
}

func (g *GitHub) orgSecretGet(c *call, o *githubRepo) reply {
	s := o.secrets["/"+c.r.PathValue("name")]
	if s == nil {
		return githubRefusal(http.StatusNotFound)
	}
	out := map[string]string{"name": c.r.PathValue("name"), "created_at": githubTime(s.created), "updated_at": githubTime(s.updated), "visibility": s.visibility}
	if s.visibility == "selected" {
		out["selected_repositories_url"] = githubBase(c) + c.r.URL.Path + "/repositories"
	}
	return ok(out)
}

func (g *GitHub) orgSecretRepositories(c *call, o *githubRepo) reply {
	s := o.secrets["/"+c.r.PathValue("name")]
	if s == nil {
		return githubRefusal(http.StatusNotFound)
	}
	if s.visibility != "selected" {
		return githubError(http.StatusConflict, "Visibility is not selected")
	}
	return ok(map[string]any{"total_count": len(s.repositories), "repositories": githubPage(c, g.repositoriesOf(c, s))})
}

// repositoriesOf shows those that may read a secret of an organisation. A test may name some by id that nobody made.
func (g *GitHub) repositoriesOf(c *call, s *githubSecret) []map[string]any {
	out := []map[string]any{}
	for _, id := range s.repositories {
		r := &githubRepo{owner: c.r.PathValue("org"), name: "repository-" + strconv.FormatInt(id, 10)}
		shown := r.minimal(githubBase(c))
		shown["id"] = id
		out = append(out, shown)
	}
	return out
}

// orgSecretPut changes the visibility to what the write says, and forgets every repository that it does not name.
func (g *GitHub) orgSecretPut(c *call, o *githubRepo) reply {
	var in struct {
		Value      string  `json:"encrypted_value"`
		KeyID      string  `json:"key_id"`
		Visibility string  `json:"visibility"`
		IDs        []int64 `json:"selected_repository_ids"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	if !slices.Contains([]string{"all", "private", "selected"}, in.Visibility) {
		return githubError(http.StatusUnprocessableEntity, "Invalid request. \"visibility\" wasn't supplied.")
	}
	s, answer := g.write(c, o, "/"+c.r.PathValue("name"), in.Value, in.KeyID)
	if s != nil {
		s.visibility, s.repositories = in.Visibility, in.IDs
	}
	return answer
}
