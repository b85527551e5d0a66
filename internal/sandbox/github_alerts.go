package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

type githubAlert struct {
	secret, secretType, display  string
	state, resolution, comment   string
	path                         string
	created, updated, resolvedAt time.Time
}

// GitHubAlert is what the sandbox's people see of a secret-scanning alert.
type GitHubAlert struct {
	Number                     int
	State, Resolution, Comment string
}

// AddAlert is GitHub's scanner finding a secret in a file: it returns the number of the alert.
func (g *GitHub) AddAlert(owner, repo, secretType, secret, path string) int {
	g.AddRepo(owner, repo)
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	r, at := g.repos[owner+"/"+repo], g.seconds()
	r.alerts = append(r.alerts, &githubAlert{
		secret: secret, secretType: secretType, display: secretType, state: "open", path: path, created: at, updated: at,
	})
	return len(r.alerts)
}

// Alert shows an alert as it stands.
func (g *GitHub) Alert(owner, repo string, n int) GitHubAlert {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	a := g.repos[owner+"/"+repo].alerts[n-1]
	return GitHubAlert{n, a.state, a.resolution, a.comment}
}

func (g *GitHub) routeAlerts() {
	p := "/repos/{owner}/{repo}/secret-scanning/alerts/{number}"
	g.route("GET "+p, EffectObserve, g.withAlert(g.alertGet))
	g.route("PATCH "+p, EffectNotify, g.withAlert(g.alertPatch))
	g.route("GET "+p+"/locations", EffectObserve, g.withAlert(g.alertLocations))
}

func (g *GitHub) withAlert(h func(*call, *githubRepo, int) reply) func(*call) reply {
	return g.withRepo(func(c *call, r *githubRepo) reply {
		n, err := strconv.Atoi(c.r.PathValue("number"))
		if err != nil || n < 1 || n > len(r.alerts) {
			return githubRefusal(http.StatusNotFound)
		}
		return h(c, r, n)
	})
}

// alertJSON is the alert as the webhook carries it: without secret and state.
func (r *githubRepo) alertJSON(base string, n int) map[string]any {
	a := r.alerts[n-1]
	m := map[string]any{
		"number": n, "created_at": githubTime(a.created), "updated_at": githubTime(a.updated),
		"url": r.url(base, "/secret-scanning/alerts/%d", n), "locations_url": r.url(base, "/secret-scanning/alerts/%d/locations", n),
		"html_url":   base + "/" + r.owner + "/" + r.name + "/security/secret-scanning/" + strconv.Itoa(n),
		"resolution": nil, "resolved_at": nil, "resolved_by": nil, "resolution_comment": nil,
		"secret_type": a.secretType, "secret_type_display_name": a.display, "validity": "unknown",
		"push_protection_bypassed": false, "publicly_leaked": true, "multi_repo": false,
	}
	if a.state == "resolved" {
		m["resolution"], m["resolved_at"], m["resolution_comment"] = a.resolution, githubTime(a.resolvedAt), a.comment
	}
	return m
}

func (g *GitHub) alertGet(c *call, r *githubRepo, n int) reply {
	m := r.alertJSON(githubBase(c), n)
	m["state"] = r.alerts[n-1].state
	m["is_base64_encoded"] = false
	if c.r.URL.Query().Get("hide_secret") != "true" {
		m["secret"] = r.alerts[n-1].secret
	}
	return ok(m)
}

func (g *GitHub) alertPatch(c *call, r *githubRepo, n int) reply {
	var in struct {
		State      string  `json:"state"`
		Resolution *string `json:"resolution"`
		Comment    string  `json:"resolution_comment"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	a := r.alerts[n-1]
	switch in.State {
	case "open":
		a.state, a.resolution, a.comment, a.updated = "open", "", "", g.seconds()
	case "resolved":
		if in.Resolution == nil || !slices.Contains([]string{"false_positive", "wont_fix", "used_in_tests", "revoked"}, *in.Resolution) {
			return githubRefusal(http.StatusUnprocessableEntity)
		}
		a.state, a.resolution, a.comment = "resolved", *in.Resolution, in.Comment
		a.updated, a.resolvedAt = g.seconds(), g.seconds()
	default:
		return githubRefusal(http.StatusUnprocessableEntity)
	}
	return g.alertGet(c, r, n)
}

func (g *GitHub) alertLocations(c *call, r *githubRepo, n int) reply {
	return ok(githubPage(c, []map[string]any{r.locationJSON(githubBase(c), n)}))
}

func (r *githubRepo) locationJSON(base string, n int) map[string]any {
	sha := randomText("0123456789abcdef", 40)
	return map[string]any{"type": "commit", "details": map[string]any{
		"path": r.alerts[n-1].path, "start_line": 1, "end_line": 1, "start_column": 1, "end_column": 40,
		"blob_sha": sha, "blob_url": r.url(base, "/git/blobs/%s", sha),
		"commit_sha": sha, "commit_url": r.url(base, "/git/commits/%s", sha),
	}}
}
