package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"
)

const githubDocs = "https://docs.github.com/rest"

// GitHub is a pretended api.github.com: secrets, workflows, issues and secret-scanning alerts. Its state is guarded by
// the world's lock. Set it up with the methods below; serve it under / of a loopback server.
type GitHub struct {
	w       *World
	token   string
	mux     *http.ServeMux
	repos   map[string]*githubRepo
	orgs    map[string]*githubRepo // an organisation has a key pair and secrets as a repository has
	deploy  func(GitHubDeploy) error
	pending []pendingRun
	lastID  int64
}

type githubRepo struct {
	owner, name string
	keyID       string
	public      [32]byte
	private     [32]byte
	secrets     map[string]*githubSecret // by environment + "/" + name
	workflows   map[string][]*githubRun  // newest first
	issues      []*githubIssue           // number is index + 1
	alerts      []*githubAlert           // number is index + 1
}

// GitHubDeploy is what a workflow run of the sandbox hands to the dependents: every secret of its repository.
type GitHubDeploy struct {
	Owner, Repo, Workflow, Ref string
	Secrets                    map[string]string // by name, for repository secrets; environment/name otherwise
}

type pendingRun struct {
	run    *githubRun
	deploy GitHubDeploy
}

// GitHub makes a GitHub of this world. Every call makes another one: keep it.
func (w *World) GitHub() *GitHub {
	g := &GitHub{w: w, token: "sandbox-" + randomText(lowerAlphabet, 32), mux: http.NewServeMux(), repos: map[string]*githubRepo{}, orgs: map[string]*githubRepo{}, lastID: 1000}
	g.route("GET /user", EffectObserve, g.user)
	g.routeSecrets()
	g.routeIssues()
	g.routeAlerts()
	g.mux.Handle("/", g.handler("", func(*call) reply { return githubRefusal(http.StatusNotFound) }))
	return g
}

// Token is the bearer token that this GitHub accepts.
func (g *GitHub) Token() string { return g.token }

// OnDeploy sets what a workflow run does with the secrets; an error makes the run fail. It runs outside the lock.
func (g *GitHub) OnDeploy(hook func(GitHubDeploy) error) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	g.deploy = hook
}

// AddRepo adds a repository with workflows; adding it again adds the workflows.
func (g *GitHub) AddRepo(owner, name string, workflows ...string) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	r := g.repos[owner+"/"+name]
	if r == nil {
		r = &githubRepo{owner: owner, name: name, secrets: map[string]*githubSecret{}, workflows: map[string][]*githubRun{}}
		r.rotate()
		g.repos[owner+"/"+name] = r
	}
	for _, f := range workflows {
		if _, has := r.workflows[f]; !has {
			r.workflows[f] = nil
		}
	}
}

// RotatePublicKey replaces the key that secrets are sealed for, as GitHub does now and then.
func (g *GitHub) RotatePublicKey(owner, repo string) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	g.repos[owner+"/"+repo].rotate()
}

func (r *githubRepo) rotate() {
	pub, priv, err := box.GenerateKey(rand.Reader)
	if err != nil {
		panic("sandbox: no randomness for a curve25519 pair: " + err.Error())
	}
	r.keyID, r.public, r.private = randomText("0123456789", 18), *pub, *priv
}

// ServeHTTP implements http.Handler. Workflow runs that the request started are finished before its answer is flushed.
func (g *GitHub) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	defer g.finishRuns()
	g.mux.ServeHTTP(rw, r)
}

func (g *GitHub) route(pattern, effect string, h func(*call) reply) {
	g.mux.Handle(pattern, g.handler(effect, h))
}

func (g *GitHub) handler(effect string, h func(*call) reply) http.Handler {
	judge := func(c *call) reply {
		if c.r.Header.Get("Authorization") != "Bearer "+g.token {
			return githubRefusal(http.StatusUnauthorized)
		}
		c.entry.Actor, c.entry.Effect = ActorResponder, effect
		return h(c)
	}
	// A handler of its own for every request: a fault of one must not outlive it.
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		g.w.serve("github", githubRefusal, judge).ServeHTTP(rw, r)
	})
}

func (g *GitHub) user(c *call) reply {
	return ok(githubSelf(githubBase(c), g.seconds()))
}

// withRepo finds the repository of the call; GitHub answers 404 for what a token may not see, too.
func (g *GitHub) withRepo(h func(*call, *githubRepo) reply) func(*call) reply {
	return func(c *call) reply {
		r := g.repos[c.r.PathValue("owner")+"/"+c.r.PathValue("repo")]
		if r == nil {
			return githubRefusal(http.StatusNotFound)
		}
		return h(c, r)
	}
}

func (g *GitHub) nextID() int64 { g.lastID++; return g.lastID }

func (g *GitHub) seconds() time.Time { return g.w.Now().UTC().Truncate(time.Second) }

func githubTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

var githubMessages = map[int]string{
	http.StatusUnauthorized:        "Bad credentials",
	http.StatusForbidden:           "Resource not accessible by integration",
	http.StatusNotFound:            "Not Found",
	http.StatusUnprocessableEntity: "Validation Failed",
	http.StatusTooManyRequests:     "You have exceeded a secondary rate limit",
}

func githubRefusal(status int) reply {
	m := githubMessages[status]
	if m == "" {
		m = http.StatusText(status)
	}
	return githubError(status, m)
}

func githubError(status int, message string) reply {
	return reply{status: status, body: map[string]string{
		"message": message, "documentation_url": githubDocs, "status": strconv.Itoa(status),
	}}
}

// githubDecode reads the body of a call as JSON; the reply is the refusal when it is not.
func githubDecode(c *call, into any) (reply, bool) {
	if err := json.Unmarshal(c.body, into); err != nil {
		return githubError(http.StatusBadRequest, "Problems parsing JSON"), false
	}
	return reply{}, true
}

// githubPage cuts a list as GitHub does: per_page at most 100, 30 by default.
func githubPage[T any](c *call, list []T) []T {
	size := githubNumber(c.r.URL.Query().Get("per_page"), 30)
	from := (githubNumber(c.r.URL.Query().Get("page"), 1) - 1) * min(size, 100)
	if from >= len(list) {
		return []T{}
	}
	return list[from:min(from+min(size, 100), len(list))]
}

func githubNumber(s string, fallback int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func (r *githubRepo) url(base, format string, args ...any) string {
	return base + "/repos/" + r.owner + "/" + r.name + fmt.Sprintf(format, args...)
}

// githubBase is the address under which the caller reached this GitHub.
func githubBase(c *call) string { return "http://" + c.r.Host }
