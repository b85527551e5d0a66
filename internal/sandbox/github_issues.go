package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const githubMaxText = 65536

type githubIssue struct {
	title, body, state, reason string
	labels                     []string
	comments                   []string
	created, updated           time.Time
}

// GitHubIssue is what the sandbox's people see of an issue.
type GitHubIssue struct {
	Number             int
	Title, Body, State string
	Labels, Comments   []string
}

// Issues lists the issues of a repository, oldest first.
func (g *GitHub) Issues(owner, repo string) []GitHubIssue {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	r := g.repos[owner+"/"+repo]
	if r == nil {
		return nil
	}
	var out []GitHubIssue
	for n, i := range r.issues {
		out = append(out, GitHubIssue{n + 1, i.title, i.body, i.state, slices.Clone(i.labels), slices.Clone(i.comments)})
	}
	return out
}

func (g *GitHub) routeIssues() {
	p := "/repos/{owner}/{repo}/issues"
	g.route("GET "+p, EffectObserve, g.withRepo(g.issueList))
	g.route("POST "+p, EffectNotify, g.withRepo(g.issueCreate))
	g.route("GET "+p+"/{number}", EffectObserve, g.withIssue(g.issueGet))
	g.route("PATCH "+p+"/{number}", EffectNotify, g.withIssue(g.issuePatch))
	g.route("GET "+p+"/{number}/comments", EffectObserve, g.withIssue(g.commentList))
	g.route("POST "+p+"/{number}/comments", EffectNotify, g.withIssue(g.commentCreate))
}

func (g *GitHub) withIssue(h func(*call, *githubRepo, int) reply) func(*call) reply {
	return g.withRepo(func(c *call, r *githubRepo) reply {
		n, err := strconv.Atoi(c.r.PathValue("number"))
		if err != nil || n < 1 || n > len(r.issues) {
			return githubRefusal(http.StatusNotFound)
		}
		return h(c, r, n)
	})
}

func (r *githubRepo) issueJSON(c *call, n int) map[string]any {
	i := r.issues[n-1]
	labels := []map[string]any{}
	for _, l := range i.labels {
		id := githubID(l)
		labels = append(labels, map[string]any{
			"id": id, "node_id": githubNode("Label", id), "url": r.url(githubBase(c), "/labels/%s", l), "name": l, "description": nil, "color": "d93f0b", "default": false,
		})
	}
	var reason any
	if i.reason != "" {
		reason = i.reason
	}
	return r.whole(githubBase(c), n, map[string]any{
		"number": n, "title": i.title, "body": i.body, "state": i.state, "state_reason": reason, "labels": labels,
		"url": r.url(githubBase(c), "/issues/%d", n), "html_url": githubBase(c) + "/" + r.owner + "/" + r.name + "/issues/" + strconv.Itoa(n),
	})
}

func (g *GitHub) issueList(c *call, r *githubRepo) reply {
	q := c.r.URL.Query()
	state := q.Get("state")
	if state == "" {
		state = "open"
	}
	out := []map[string]any{}
	for n := len(r.issues); n > 0; n-- {
		i := r.issues[n-1]
		if state != "all" && i.state != state || !hasAll(i.labels, q.Get("labels")) {
			continue
		}
		out = append(out, r.issueJSON(c, n))
	}
	return ok(githubPage(c, out))
}

func hasAll(labels []string, wanted string) bool {
	for l := range strings.SplitSeq(wanted, ",") {
		if l != "" && !slices.Contains(labels, l) {
			return false
		}
	}
	return true
}

func (g *GitHub) issueCreate(c *call, r *githubRepo) reply {
	var in struct {
		Title  string   `json:"title"`
		Body   string   `json:"body"`
		Labels []string `json:"labels"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	if in.Title == "" || len(in.Title) > 1024 || len([]rune(in.Body)) > githubMaxText {
		return githubRefusal(http.StatusUnprocessableEntity)
	}
	r.issues = append(r.issues, &githubIssue{title: in.Title, body: in.Body, state: "open", labels: in.Labels, created: g.seconds(), updated: g.seconds()})
	return reply{status: http.StatusCreated, body: r.issueJSON(c, len(r.issues))}
}

func (g *GitHub) issueGet(c *call, r *githubRepo, n int) reply { return ok(r.issueJSON(c, n)) }

func (g *GitHub) issuePatch(c *call, r *githubRepo, n int) reply {
	var in struct {
		State  string `json:"state"`
		Reason string `json:"state_reason"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	if !slices.Contains([]string{"", "open", "closed"}, in.State) || !slices.Contains([]string{"", "completed", "not_planned", "duplicate", "reopened"}, in.Reason) {
		return githubRefusal(http.StatusUnprocessableEntity)
	}
	if in.State != "" {
		r.issues[n-1].state, r.issues[n-1].reason, r.issues[n-1].updated = in.State, in.Reason, g.seconds()
	}
	return ok(r.issueJSON(c, n))
}

func (g *GitHub) commentList(c *call, r *githubRepo, n int) reply {
	out := []map[string]any{}
	for i := range r.issues[n-1].comments {
		out = append(out, r.comment(githubBase(c), n, i))
	}
	return ok(githubPage(c, out))
}

func (g *GitHub) commentCreate(c *call, r *githubRepo, n int) reply {
	var in struct {
		Body string `json:"body"`
	}
	if refusal, good := githubDecode(c, &in); !good {
		return refusal
	}
	if in.Body == "" || len([]rune(in.Body)) > githubMaxText {
		return githubRefusal(http.StatusUnprocessableEntity)
	}
	i := r.issues[n-1]
	i.comments, i.updated = append(i.comments, in.Body), g.seconds()
	return reply{status: http.StatusCreated, body: r.comment(githubBase(c), n, len(i.comments)-1)}
}
