package github_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
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
	return github.New(github.Options{API: c, PrivateNetworks: true})
}

func value(t *testing.T) string {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "test-" + hex.EncodeToString(b)
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
	receipt, err := r.store.Update(context.Background(), d, []byte(next))
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
	h, err := r.store.Check(context.Background(), d)
	if err != nil || !h.Healthy {
		t.Errorf("check after a good run: %+v, %v", h, err)
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
	if _, err := r.store.Update(context.Background(), d, []byte(next)); err != nil {
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
		_, err := storeAt(t, srv.URL, hub.Token()).Update(context.Background(), dependent(), []byte(value(t)))
		if (err == nil) != c.good {
			t.Errorf("%d rotations: %v", c.rotations, err)
		}
		if !c.good && !keys.IsPermanent(err) {
			t.Errorf("two rotations in a row must park the step, got %v", err)
		}
	}
}

func TestFaultsAreSortedIntoRetryAndPark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status    int
		permanent bool
	}{
		{401, true}, {403, true}, {404, true}, {422, true}, {301, true}, {429, false}, {500, false}, {502, false}, {503, false},
		{sandbox.FaultGarbage, false}, {sandbox.FaultLost, false},
	} {
		r, secret := open(t), value(t)
		r.world.Fault("github", c.status, 4)
		_, err := r.store.Update(context.Background(), dependent(), []byte(secret))
		if err == nil {
			t.Errorf("fault %d gave no error", c.status)
			continue
		}
		if keys.IsPermanent(err) != c.permanent {
			t.Errorf("fault %d: permanent is %v: %v", c.status, !c.permanent, err)
		}
		for _, never := range []string{secret, r.hub.Token(), r.url, "http://"} {
			if strings.Contains(err.Error(), never) {
				t.Errorf("fault %d: the error shows what it must not: %v", c.status, err)
			}
		}
	}
}

func TestALostAnswerMayBeRepeated(t *testing.T) {
	t.Parallel()
	r, next := open(t), value(t)
	d := dependent()
	d.Redeploy = map[string]string{"workflow": "gone.yml", "ref": "main"}
	_, err := r.store.Update(context.Background(), d, []byte(next))
	if err == nil || !keys.IsPermanent(err) || !strings.Contains(err.Error(), "not deployed yet") {
		t.Fatalf("a missing workflow must be told apart: %v", err)
	}
	d.Redeploy["workflow"] = "deploy.yml"
	if _, err := r.store.Update(context.Background(), d, []byte(next)); err != nil {
		t.Fatal(err)
	}
}

func TestAContextThatEndsIsNotPermanent(t *testing.T) {
	t.Parallel()
	r := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.store.Update(ctx, dependent(), []byte(value(t)))
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
	if h, err := r.store.Check(context.Background(), d); err != nil || h.Healthy || !strings.Contains(h.Detail, "has not run") {
		t.Errorf("before any run: %+v, %v", h, err)
	}
	r.hub.OnDeploy(func(sandbox.GitHubDeploy) error { return errors.New("the shop does not start") })
	d.Redeploy = map[string]string{"workflow": "deploy.yml", "ref": "main"}
	if _, err := r.store.Update(context.Background(), d, []byte(value(t))); err != nil {
		t.Fatal(err)
	}
	if h, err := r.store.Check(context.Background(), d); err != nil || h.Healthy || !strings.Contains(h.Detail, "failure") {
		t.Errorf("after a failed run: %+v, %v", h, err)
	}
}

func TestHTTPCheckNamesTheHostOnlyAndKeepsOutOfPrivateNetworks(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "hello")
	}))
	defer shop.Close()
	r, d, secret := open(t), dependent(), value(t)
	d.Check = map[string]string{"kind": "http", "url": shop.URL + "/health?token=" + secret}
	if h, err := r.store.Check(context.Background(), d); err != nil || !h.Healthy {
		t.Errorf("a shop that answers 200: %+v, %v", h, err)
	}
	status = http.StatusInternalServerError
	h, err := r.store.Check(context.Background(), d)
	if err != nil || h.Healthy || strings.Contains(h.Detail, secret) {
		t.Errorf("a shop that answers 500: %+v, %v", h, err)
	}
	_, err = github.New(github.Options{}).Check(context.Background(), d)
	if !keys.IsPermanent(err) || strings.Contains(err.Error(), secret) {
		t.Errorf("a guarded check must refuse loopback: %v", err)
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
		func(d *incident.Dependent) { d.Redeploy = map[string]string{"workflow": "deploy.yml"} },
	} {
		d := dependent()
		change(&d)
		if _, err := r.store.Update(context.Background(), d, []byte("x")); !keys.IsPermanent(err) {
			t.Errorf("%+v was taken: %v", d, err)
		}
	}
	if n := len(r.world.Entries()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	if _, err := r.store.Update(context.Background(), dependent(), nil); !keys.IsPermanent(err) {
		t.Errorf("an empty value was taken: %v", err)
	}
	if err := r.store.Restore(context.Background(), dependent(), nil); !errors.Is(err, keys.ErrUnsupported) {
		t.Errorf("restore: %v", err)
	}
}
