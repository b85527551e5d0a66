package sandbox

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"
)

type githubSecret struct {
	value            string
	created, updated time.Time
	visibility       string  // of an organisation's
	repositories     []int64 // of an organisation's that is visible to selected ones
}

type githubRun struct {
	id                      int64
	ref, status, conclusion string
	created, updated        time.Time
}

func (g *GitHub) routeSecrets() {
	const repo = "/repos/{owner}/{repo}/"
	for _, p := range []string{repo + "actions/secrets", repo + "environments/{env}/secrets", repo + "dependabot/secrets", repo + "codespaces/secrets"} {
		g.route("GET "+p, EffectObserve, g.withRepo(g.secretList))
		g.route("GET "+p+"/public-key", EffectObserve, g.withRepo(g.publicKey))
		g.route("GET "+p+"/{name}", EffectObserve, g.withRepo(g.secretGet))
		g.route("PUT "+p+"/{name}", EffectFinal, g.withRepo(g.secretPut))
	}
	g.routeOrganisations()
	flow := "/repos/{owner}/{repo}/actions/workflows/{workflow}"
	g.route("POST "+flow+"/dispatches", EffectUndoable, g.withRepo(g.dispatch))
	g.route("GET "+flow+"/runs", EffectObserve, g.withRepo(g.runs))
}

// SetSecret puts a value where a dependent keeps it; environment "" means the repository.
func (g *GitHub) SetSecret(owner, repo, environment, name, value string) {
	g.AddRepo(owner, repo)
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	at := g.seconds()
	g.repos[owner+"/"+repo].secrets[environment+"/"+name] = &githubSecret{value: value, created: at, updated: at}
}

// Secret is what the repository holds now: the world's judgement of an update.
func (g *GitHub) Secret(owner, repo, environment, name string) (string, bool) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	r := g.repos[owner+"/"+repo]
	if r == nil || r.secrets[environment+"/"+name] == nil {
		return "", false
	}
	return r.secrets[environment+"/"+name].value, true
}

func (g *GitHub) publicKey(c *call, r *githubRepo) reply {
	if !r.environment(scopeOf(c)) {
		return githubRefusal(http.StatusNotFound)
	}
	return ok(map[string]string{"key_id": r.keyID, "key": base64.StdEncoding.EncodeToString(r.public[:])})
}

// Scopes of secrets that no workflow sees.
const (
	ScopeDependabot = "\x00dependabot"
	ScopeCodespaces = "\x00codespaces"
)

// scopeOf is the environment of a call, or the family that its path names.
func scopeOf(c *call) string {
	switch {
	case c.r.PathValue("env") != "":
		return c.r.PathValue("env")
	case strings.Contains(c.r.URL.Path, "/dependabot/secrets"):
		return ScopeDependabot
	case strings.Contains(c.r.URL.Path, "/codespaces/secrets"):
		return ScopeCodespaces
	}
	return ""
}

// environment reports whether the repository has it: one that holds a secret exists.
func (r *githubRepo) environment(env string) bool {
	if env == "" || strings.HasPrefix(env, "\x00") {
		return true
	}
	for k := range r.secrets {
		if strings.HasPrefix(k, env+"/") {
			return true
		}
	}
	return false
}

func (g *GitHub) secretGet(c *call, r *githubRepo) reply {
	s := r.secrets[scopeOf(c)+"/"+c.r.PathValue("name")]
	if s == nil {
		return githubRefusal(http.StatusNotFound)
	}
	return ok(map[string]string{"name": c.r.PathValue("name"), "created_at": githubTime(s.created), "updated_at": githubTime(s.updated)})
}

func (g *GitHub) secretList(c *call, r *githubRepo) reply {
	if !r.environment(scopeOf(c)) {
		return githubRefusal(http.StatusNotFound)
	}
	list := []map[string]string{}
	for _, at := range slices.Sorted(maps.Keys(r.secrets)) {
		if name, ours := strings.CutPrefix(at, scopeOf(c)+"/"); ours {
			s := r.secrets[at]
			list = append(list, map[string]string{"name": name, "created_at": githubTime(s.created), "updated_at": githubTime(s.updated)})
		}
	}
	return ok(map[string]any{"total_count": len(list), "secrets": githubPage(c, list)})
}

func (g *GitHub) secretPut(c *call, r *githubRepo) reply {
	var in struct {
		Value string `json:"encrypted_value"`
		KeyID string `json:"key_id"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	env, name := scopeOf(c), c.r.PathValue("name")
	if !r.environment(env) {
		return githubRefusal(http.StatusNotFound)
	}
	_, answer := g.write(c, r, env+"/"+name, in.Value, in.KeyID)
	return answer
}

// write opens a sealed value and keeps it; the reply is GitHub's, and the secret nil when it is a refusal.
func (g *GitHub) write(c *call, r *githubRepo, at, value, keyID string) (*githubSecret, reply) {
	if keyID != r.keyID {
		return nil, githubError(http.StatusUnprocessableEntity, "Bad request - the key_id is not the current public key")
	}
	sealed, err := base64.StdEncoding.DecodeString(value)
	plain, opened := box.OpenAnonymous(nil, sealed, &r.public, &r.private)
	if err != nil || !opened || strings.HasPrefix(strings.ToUpper(c.r.PathValue("name")), "GITHUB_") {
		return nil, githubRefusal(http.StatusUnprocessableEntity)
	}
	if k := g.w.holderOf(string(plain)); k != nil {
		c.entry.Key = k.ID
	}
	s, known := r.secrets[at]
	if !known {
		s = &githubSecret{created: g.seconds()}
		r.secrets[at] = s
	}
	s.value, s.updated = string(plain), g.seconds()
	if !known {
		return s, reply{status: http.StatusCreated, body: struct{}{}}
	}
	return s, reply{status: http.StatusNoContent}
}

func (g *GitHub) dispatch(c *call, r *githubRepo) reply {
	var in struct {
		Ref     string         `json:"ref"`
		Inputs  map[string]any `json:"inputs"`
		Details bool           `json:"return_run_details"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	file := c.r.PathValue("workflow")
	if _, has := r.workflows[file]; !has {
		return githubRefusal(http.StatusNotFound)
	}
	if in.Ref == "" || len(in.Inputs) > 25 {
		return githubError(http.StatusUnprocessableEntity, "No ref found for: "+in.Ref)
	}
	run := &githubRun{id: g.nextID(), ref: in.Ref, status: "queued", created: g.seconds(), updated: g.seconds()}
	r.workflows[file] = slices.Insert(r.workflows[file], 0, run)
	d := GitHubDeploy{Owner: r.owner, Repo: r.name, Workflow: file, Ref: in.Ref, Secrets: map[string]string{}}
	for _, of := range []*githubRepo{g.orgs[r.owner], r} { // a repository's own goes before its organisation's
		if of == nil {
			continue
		}
		for k, s := range of.secrets {
			if !strings.HasPrefix(k, "\x00") {
				d.Secrets[strings.TrimPrefix(k, "/")] = s.value
			}
		}
	}
	g.pending = append(g.pending, pendingRun{run, d})
	if !in.Details {
		return reply{status: http.StatusNoContent}
	}
	url := r.url(githubBase(c), "/actions/runs/%d", run.id)
	return ok(map[string]any{"workflow_run_id": run.id, "run_url": url, "html_url": url})
}

// finishRuns lets every started run do its deploy, outside the lock: the dependents are part of the same world.
func (g *GitHub) finishRuns() {
	g.w.mu.Lock()
	pending, hook := g.pending, g.deploy
	g.pending = nil
	g.w.mu.Unlock()
	for _, p := range pending {
		conclusion := "success"
		if hook != nil {
			if err := hook(p.deploy); err != nil {
				conclusion = "failure"
			}
		}
		g.w.mu.Lock()
		p.run.status, p.run.conclusion, p.run.updated = "completed", conclusion, g.seconds()
		g.w.mu.Unlock()
	}
}

func (g *GitHub) runs(c *call, r *githubRepo) reply {
	list, has := r.workflows[c.r.PathValue("workflow")]
	if !has {
		return githubRefusal(http.StatusNotFound)
	}
	out := []map[string]any{}
	for i, run := range githubPage(c, list) {
		out = append(out, r.runJSON(githubBase(c), c.r.PathValue("workflow"), run, len(list)-i))
	}
	return ok(map[string]any{"total_count": len(list), "workflow_runs": out})
}
