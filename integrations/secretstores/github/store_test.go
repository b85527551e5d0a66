package github_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api/apitest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

type room struct {
	world *sandbox.World
	hub   *sandbox.GitHub
	store *github.Store
	url   string
}

func open(t *testing.T) room {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{})
	hub := w.GitHub()
	hub.AddRepo("acme", "shop", "deploy.yml")
	srv := httptest.NewServer(hub)
	t.Cleanup(srv.Close)
	return room{w, hub, storeAt(t, srv.URL, hub.Token()), srv.URL}
}

func storeAt(t *testing.T, url, token string) *github.Store {
	t.Helper()
	c, err := api.New(api.Options{BaseURL: url, Token: token, Transport: apitest.Contract(t, http.DefaultTransport)})
	if err != nil {
		t.Fatal(err)
	}
	return github.New(c)
}

func value(t *testing.T) string { return storetest.Value(t) }

// give writes a value and deploys it, as one update does.
func (r room) give(t *testing.T, d incident.Dependent, v string) (string, error) {
	t.Helper()
	receipt, err := r.store.Update(t.Context(), d, secretstores.Change{Value: []byte(v)})
	if err != nil || len(d.Redeploy) == 0 {
		return receipt, err
	}
	run, err := r.store.Deploy(t.Context(), d, secretstores.Change{})
	return receipt + " " + run, err
}

// deployed looks at the workflow since the secret was written.
func (r room) deployed(t *testing.T, d incident.Dependent) secretstores.Health {
	t.Helper()
	st, err := r.store.State(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	h, err := r.store.Deployed(t.Context(), d, st.ChangedAt)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func dependent() incident.Dependent {
	return incident.Dependent{
		ID: "acme/shop:GEMINI_API_KEY", Kind: github.KindActions,
		Address: map[string]string{"owner": "acme", "repo": "shop", "name": "GEMINI_API_KEY"},
	}
}

func TestUpdateSealsTheValueForTheRepositoryAndDeploysIt(t *testing.T) {
	t.Parallel()
	r, next := open(t), value(t)
	r.hub.SetSecret("acme", "shop", "", "GEMINI_API_KEY", value(t))
	deployed := ""
	r.hub.OnDeploy(func(d sandbox.GitHubDeploy) error { deployed = d.Secrets["GEMINI_API_KEY"]; return nil })
	d := dependent()
	d.Redeploy = map[string]string{"workflow": "deploy.yml", "ref": "main", "input.reason": "rotation"}
	receipt, err := r.give(t, d, next)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := r.hub.Secret("acme", "shop", "", "GEMINI_API_KEY"); got != next {
		t.Error("the repository does not hold the new value")
	}
	if deployed != next {
		t.Error("the workflow did not deploy the new value")
	}
	if !strings.HasPrefix(receipt, "secret:204 run:") {
		t.Errorf("receipt is %q", receipt)
	}
	if h := r.deployed(t, d); !h.Healthy {
		t.Errorf("check after a good run: %+v", h)
	}
	for _, e := range r.world.Entries() {
		if strings.Contains(e.Path, next) {
			t.Errorf("the world log shows the value: %q", e.Path)
		}
		if e.Method == http.MethodPut && e.Effect != sandbox.EffectFinal {
			t.Errorf("writing a secret counted as %q", e.Effect)
		}
	}
}

func TestEnvironmentSecretsUseTodaysPathAndKeepTheirNameEscaped(t *testing.T) {
	t.Parallel()
	r, next := open(t), value(t)
	r.hub.SetSecret("acme", "shop", "prod/eu", "GEMINI_API_KEY", value(t))
	d := dependent()
	d.Kind, d.Address["environment"] = github.KindEnvironment, "prod/eu"
	if _, err := r.give(t, d, next); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.hub.Secret("acme", "shop", "prod/eu", "GEMINI_API_KEY"); got != next {
		t.Error("the environment does not hold the new value")
	}
}

func TestStateTellsAbsentFromPresentAndFromInvisible(t *testing.T) {
	t.Parallel()
	r := open(t)
	s, err := r.store.State(context.Background(), dependent())
	if err != nil || s.Fields["exists"] != "false" {
		t.Errorf("absent secret: %+v, %v", s, err)
	}
	r.hub.SetSecret("acme", "shop", "", "GEMINI_API_KEY", value(t))
	s, err = r.store.State(context.Background(), dependent())
	if err != nil || s.Fields["exists"] != "true" || s.Fields["updated_at"] == "" || s.Undo != nil {
		t.Errorf("present secret: %+v, %v", s, err)
	}
	d := dependent()
	d.Address["repo"] = "hidden"
	if _, err := r.store.State(context.Background(), d); !keys.IsPermanent(err) {
		t.Errorf("an invisible repository must be a permanent error, got %v", err)
	}
}

// rotating changes the repository's key pair after the first read of the public key.
type rotating struct {
	hub  *sandbox.GitHub
	left int
}

func (x *rotating) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.hub.ServeHTTP(w, r)
	if strings.HasSuffix(r.URL.Path, "public-key") && x.left > 0 {
		x.left--
		x.hub.RotatePublicKey("acme", "shop")
	}
}

func TestAPublicKeyThatRotatedIsReadOnceMore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rotations int
		good      bool
	}{{1, true}, {2, false}} {
		hub := sandbox.NewWorld(sandbox.Options{}).GitHub()
		hub.AddRepo("acme", "shop")
		srv := httptest.NewServer(&rotating{hub, c.rotations})
		t.Cleanup(srv.Close)
		_, err := storeAt(t, srv.URL, hub.Token()).Update(context.Background(), dependent(), secretstores.Change{Value: []byte(value(t))})
		if (err == nil) != c.good {
			t.Errorf("%d rotations: %v", c.rotations, err)
		}
		if !c.good && !keys.IsPermanent(err) {
			t.Errorf("two rotations in a row must park the step, got %v", err)
		}
	}
}

func TestAWorkflowThatIsNotThereIsSaidBeforehand(t *testing.T) {
	t.Parallel()
	r := open(t)
	d := dependent()
	d.Redeploy = map[string]string{"workflow": "gone.yml", "ref": "main"}
	if err := r.store.Deployable(t.Context(), d); !keys.IsPermanent(err) {
		t.Errorf("%v", err)
	}
	d.Redeploy["workflow"] = "deploy.yml"
	if err := r.store.Deployable(t.Context(), d); err != nil {
		t.Error(err)
	}
}

func TestEveryKindOfSecretIsWrittenAndNothingElse(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct{ environment, scope string }{
		github.KindActions: {}, github.KindEnvironment: {"prod", "prod"},
		github.KindDependabot: {"", sandbox.ScopeDependabot}, github.KindCodespaces: {"", sandbox.ScopeCodespaces},
	} {
		r, d := open(t), dependent()
		d.Kind = kind
		if c.environment != "" {
			d.Address["environment"] = c.environment
		}
		storetest.Round(t, storetest.Bench{
			Store: r.store, Dependent: d, Blind: true,
			Write: func(v string) { r.hub.SetSecret("acme", "shop", c.scope, "GEMINI_API_KEY", v) },
			Read:  func() string { got, _ := r.hub.Secret("acme", "shop", c.scope, "GEMINI_API_KEY"); return got },
		})
	}
}

func TestAnOrganisationsSecretKeepsWhoSeesIt(t *testing.T) {
	t.Parallel()
	many := make([]int64, 250)
	for i := range many {
		many[i] = int64(i + 1)
	}
	for visibility, ids := range map[string][]int64{"all": nil, "private": nil, "selected": many} {
		r, next := open(t), value(t)
		r.hub.SetOrgSecret("acme", "GEMINI_API_KEY", value(t), visibility, ids...)
		d := incident.Dependent{ID: "acme", Kind: github.KindOrganization, Address: map[string]string{"org": "acme", "name": "GEMINI_API_KEY"}}
		if _, err := r.give(t, d, next); err != nil {
			t.Fatal(err)
		}
		got, sees, kept := r.hub.OrgSecret("acme", "GEMINI_API_KEY")
		if got != next || sees != visibility || len(kept) != len(ids) {
			t.Errorf("%s: seen by %s, %d repositories of %d are left", visibility, sees, len(kept), len(ids))
		}
		d.Address["name"] = "NEW_ONE"
		if _, err := r.give(t, d, next); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "does not exist yet") {
			t.Errorf("a new secret of an organisation: %v", err)
		}
	}
}

func TestAContextThatEndsIsNotPermanent(t *testing.T) {
	t.Parallel()
	r := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.store.Update(ctx, dependent(), secretstores.Change{Value: []byte(value(t))})
	if !errors.Is(err, context.Canceled) || keys.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestCheckKnowsAFailedAndAMissingRun(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.hub.SetSecret("acme", "shop", "", "GEMINI_API_KEY", value(t))
	d := dependent()
	d.Check = map[string]string{"kind": "workflow", "workflow": "deploy.yml"}
	if h := r.deployed(t, d); h.Healthy || !strings.Contains(h.Detail, "has not run") {
		t.Errorf("before any run: %+v", h)
	}
	r.hub.OnDeploy(func(sandbox.GitHubDeploy) error { return errors.New("the shop does not start") })
	d.Redeploy = map[string]string{"workflow": "deploy.yml", "ref": "main"}
	if _, err := r.give(t, d, value(t)); err != nil {
		t.Fatal(err)
	}
	if h := r.deployed(t, d); h.Healthy || !strings.Contains(h.Detail, "failure") {
		t.Errorf("after a failed run: %+v", h)
	}
}

func TestAddressesThatCannotBeAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	r := open(t)
	for _, change := range []func(*incident.Dependent){
		func(d *incident.Dependent) { d.Address["owner"] = "../orgs" },
		func(d *incident.Dependent) { d.Address["repo"] = ".." },
		func(d *incident.Dependent) { d.Address["name"] = "public-key" },
		func(d *incident.Dependent) { d.Address["environment"] = "prod" },
		func(d *incident.Dependent) { d.Kind = "vault_kv" },
		func(d *incident.Dependent) { d.Kind = github.KindEnvironment },
	} {
		d := dependent()
		change(&d)
		if _, err := r.give(t, d, "x"); !keys.IsPermanent(err) {
			t.Errorf("%+v was taken: %v", d, err)
		}
	}
	if n := len(r.world.Entries()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	if _, err := r.store.Update(context.Background(), dependent(), secretstores.Change{}); !keys.IsPermanent(err) {
		t.Errorf("an empty value was taken: %v", err)
	}
	d := dependent()
	d.Redeploy = map[string]string{"workflow": "deploy.yml"}
	if err := r.store.Deployable(t.Context(), d); !keys.IsPermanent(err) {
		t.Errorf("a redeploy without a ref was taken: %v", err)
	}
}
