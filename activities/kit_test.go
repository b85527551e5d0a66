package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// The ids that Temporal's test environment gives to the workflow of every activity.
const (
	testWorkflow  = "default-test-workflow-id"
	testExecution = "default-test-run-id"
)

// bench is a house with a real database and a real provider in front of the sandbox world.
type bench struct {
	h      *House
	env    *testsuite.TestActivityEnvironment
	world  *sandbox.World
	dir    string
	key    incident.Key
	stolen sandbox.Key
	signer *seal.Signer
	crowd  *crowd
}

// crowd is a directory of people whose groups a test can change.
type crowd struct {
	mu      sync.Mutex
	members []string
}

func (c *crowd) Person(id string) (incident.Person, bool) {
	return incident.Person{ID: id, Name: id, Slack: "U" + id, Email: id + "@example.com"}, true
}

func (c *crowd) Members(context.Context, string) ([]string, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.members), time.Now(), nil
}

func (c *crowd) MayDecide(context.Context, string) (string, error) { return "", nil }

func (c *crowd) Reach(string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.members)
}

func (c *crowd) leave(person string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members = slices.DeleteFunc(c.members, func(m string) bool { return m == person })
}

// registry hands activities to the test environment; workflows are none of its business.
type registry struct {
	worker.Registry
	env *testsuite.TestActivityEnvironment
}

func (r registry) RegisterActivityWithOptions(fn any, o activity.RegisterOptions) {
	r.env.RegisterActivityWithOptions(fn, o)
}

func build(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	ring := must(seal.LoadOrCreate(filepath.Join(dir, "ring.json"), rand.Reader))(t)
	db := must(database.Open(t.Context(), filepath.Join(dir, "tourniquet.db"), ring.Box()))(t)
	t.Cleanup(func() { _ = db.Close() })
	world := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1})
	server := httptest.NewServer(world.Google())
	t.Cleanup(server.Close)
	stolen := world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "shop"})
	b := &bench{
		world: world, dir: dir, stolen: stolen, crowd: &crowd{members: []string{"ann", "bob", "cem"}},
		signer: must(seal.LoadOrCreateSigner(filepath.Join(dir, "signer.json")))(t),
	}
	b.key = b.asKey(stolen)
	b.h = &House{
		DB: db, Providers: []Account{{"main", account(t, server.URL, world.AdminToken())}}, People: b.crowd, Policy: signoff.DefaultPolicy(),
		Trusted: b.signer.PublicKeys(), Installation: "acme", World: incident.WorldProduction,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
	}
	if err := b.h.Open(); err != nil {
		t.Fatal(err)
	}
	b.env = b.fresh()
	b.run(t, "run-1", incident.ModeEnforce)
	return b
}

func account(t *testing.T, at, token string) *gemini.Provider {
	t.Helper()
	return must(gemini.New(gemini.Config{
		Account: "main", Project: "acme-prod", HTTPClient: &http.Client{Timeout: 10 * time.Second},
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}),
		Endpoints:   gemini.Endpoints{APIKeys: at, ServiceUsage: at, Monitoring: at, Logging: at, Generative: at, IAM: at, Token: at + "/token"},
	}))(t)
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (b *bench) asKey(k sandbox.Key) incident.Key {
	return incident.Key{Provider: "gemini", Account: "main", Project: k.Project, ID: k.ID, UID: k.UID, Name: k.Name, Hint: k.Hint(), Dependents: []incident.Dependent{}}
}

func (b *bench) run(t *testing.T, id, mode string) {
	t.Helper()
	r := incident.Run{ID: id, Incident: "inc-" + id, Number: 1, Playbook: "leaked-key", Digest: "sha256:00", Mode: mode,
		World: b.h.World, Trust: incident.TrustAct, Key: &b.key, State: "running", StartedAt: time.Now()}
	if err := b.h.DB.PutRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) call(action, input string, g *signoff.Grant) wire.Call {
	return wire.Call{Run: "run-1", Incident: "inc-run-1", Step: "respond/" + action, Attempt: 1, Action: action,
		With: map[string]any{input: b.key}, Grant: g, At: time.Now()}
}

// fresh is an environment of its own: one is not made for several calls at once.
func (b *bench) fresh() *testsuite.TestActivityEnvironment {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(30 * time.Second)
	b.h.Register(registry{env: env})
	return env
}

// do sends a call through Temporal's own test environment.
func (b *bench) do(t *testing.T, c wire.Call) (wire.Result, error) {
	t.Helper()
	var res wire.Result
	got, err := b.fresh().ExecuteActivity(c.Action, c)
	if err != nil {
		return res, err
	}
	err = got.Get(&res)
	return res, err
}

func (b *bench) done(t *testing.T, c wire.Call) wire.Result {
	t.Helper()
	res, err := b.do(t, c)
	if err != nil {
		t.Fatalf("%s: %v", c.Action, err)
	}
	return res
}

// grant freezes a call as it is now and has people approve it, a little while ago.
func (b *bench) grant(t *testing.T, c wire.Call, people ...string) signoff.Grant {
	t.Helper()
	return b.grantFor(t, "respond", c, people...)
}

func (b *bench) grantFor(t *testing.T, step string, c wire.Call, people ...string) signoff.Grant {
	t.Helper()
	ask := wire.Freeze{
		Run: c.Run, Step: step, Attempt: 1, Title: "Sign-off", Why: "a test asks", Within: playbooks.Dur(time.Hour), Complete: playbooks.Dur(30 * time.Minute),
		Calls: []wire.Planned{{Step: c.Step, Action: c.Action, With: c.With}}, At: time.Now().Add(-2 * time.Minute), WorkflowID: testWorkflow, PublicKeys: b.signer.PublicKeys(),
	}
	got, err := b.env.ExecuteActivity(wire.FreezeSignoff, ask)
	if err != nil {
		t.Fatalf("freezing: %v", err)
	}
	var view signoff.View
	if err := got.Get(&view); err != nil {
		t.Fatal(err)
	}
	g := signoff.Grant{Request: view.Request, Envelope: view.Envelope, QuorumAt: time.Now().Add(-30 * time.Second)}
	for _, p := range people {
		g.Decisions = append(g.Decisions, b.decide(t, g, p, signoff.Approve, b.signer))
	}
	return g
}

func (b *bench) decide(t *testing.T, g signoff.Grant, person, verb string, with *seal.Signer) signoff.Decision {
	t.Helper()
	d := signoff.Decision{
		Request: g.Request, Digest: must(signoff.Digest(g.Envelope))(t), Person: person, Name: person, Verb: verb, Reason: "a test decides",
		Groups: []string{"secops"}, SeenAt: time.Now().Add(-time.Minute), At: time.Now().Add(-time.Minute + time.Second), Surface: "console",
	}
	return must(signoff.Sign(d, with.ID, with.Private))(t)
}

// refused checks the kind by which the workflow decides.
func refused(t *testing.T, err error, kind string) {
	t.Helper()
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != kind {
		t.Fatalf("the call ended with %v, want a refusal of kind %q", err, kind)
	}
}

// sent counts the requests that the world obeyed with an effect.
func (b *bench) sent(effects ...string) (n int) {
	for _, e := range b.world.Entries() {
		if slices.Contains(effects, e.Effect) {
			n++
		}
	}
	return n
}

// untouched fails when anything was changed in the world.
func (b *bench) untouched(t *testing.T) {
	t.Helper()
	if n := b.sent(sandbox.EffectFinal, sandbox.EffectUndoable); n != 0 {
		t.Fatalf("%d requests changed something: %+v", n, b.world.Entries())
	}
}
