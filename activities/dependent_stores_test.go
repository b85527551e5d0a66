package activities

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/aws"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/gcp"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/kubernetes"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// shelf is one dependent in a store that can give a value back.
type shelf struct {
	dependent incident.Dependent
	write     func(string)
	read      func() string
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// withShelves gives the house every store that can give a value back, with one dependent each.
func (b *bench) withShelves(t *testing.T) map[string]shelf {
	t.Helper()
	w := b.world
	k, v, a, g := w.Kubernetes(0), w.Vault(), w.AWSSecrets(), w.GCPSecrets()
	srv := httptest.NewUnstartedServer(k)
	srv.TLS = k.TLS()
	srv.StartTLS()
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(k.Kubeconfig(srv.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	k.AddWorkload("deployments", "shop", "web", 2, false)
	id, secret := a.Credentials()
	b.h.Stores = []secretstores.Store{
		must(kubernetes.New([]kubernetes.Cluster{{Name: "prod", Kubeconfig: file}}))(t),
		must(vault.New(vault.Options{Address: serve(t, v), Token: func() (string, error) { return v.Token(), nil }}))(t),
		must(aws.New(aws.Options{Endpoint: serve(t, a), Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")}))(t),
		must(gcp.New(t.Context(), gcp.Options{Endpoint: serve(t, g), Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: w.AdminToken()})}))(t),
	}
	return map[string]shelf{
		"kubernetes": {
			incident.Dependent{ID: "in the cluster", Kind: kubernetes.Kind, Redeploy: map[string]string{"deployment": "web"},
				Address: map[string]string{"namespace": "shop", "name": "model", "key": "api-key"}},
			func(s string) { k.SetSecret("shop", "model", false, map[string]string{"api-key": s}) },
			func() string { got, _ := k.Secret("shop", "model", "api-key"); return got },
		},
		"vault": {
			incident.Dependent{ID: "in Vault", Kind: vault.Kind, Address: map[string]string{"mount": "secret", "path": "shop", "field": "key"}},
			func(s string) { v.SetSecret("", "secret", "shop", map[string]string{"key": s}) },
			func() string { got, _ := v.Secret("", "secret", "shop", "key"); return got },
		},
		"aws": {
			incident.Dependent{ID: "in AWS", Kind: aws.Kind, Address: map[string]string{"region": "eu-central-1", "name": "shop"}},
			func(s string) { a.SetSecret("eu-central-1", "shop", s) },
			func() string { got, _ := a.Secret("eu-central-1", "shop"); return got },
		},
		"gcp": {
			incident.Dependent{ID: "at Google", Kind: gcp.Kind, Address: map[string]string{"project": "acme-prod", "name": "shop"}},
			func(s string) { g.SetSecret("acme-prod", "shop", s) },
			func() string { got, _ := g.Secret("acme-prod", "shop"); return got },
		},
	}
}

// handOver is an update of a shelf's dependent, with the key that it is to get.
func (b *bench) handOver(t *testing.T, s shelf) (c wire.Call, value string) {
	t.Helper()
	s.write("the old value")
	made := madeKey(t, b.done(t, b.call("key.create", "like", nil)))
	c = b.call("dependent.update", "dependent", nil)
	c.With = map[string]any{"key": made, "dependent": s.dependent}
	return c, string(must(b.h.DB.OpenSealed(t.Context(), *made.Secret))(t))
}

func eachShelf(t *testing.T, try func(*testing.T, *bench, shelf)) {
	t.Helper()
	for _, name := range []string{"kubernetes", "vault", "aws", "gcp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			try(t, b, b.withShelves(t)[name])
		})
	}
}

func TestWhereTheStoreGivesValuesBackAnUpdateIsUndoableAndIsTakenBack(t *testing.T) {
	t.Parallel()
	eachShelf(t, func(t *testing.T, b *bench, s shelf) {
		c, value := b.handOver(t, s)
		g := b.grant(t, c, "ann", "bob")
		if p := g.Envelope.Calls[0]; p.Effect != signoff.EffectUndoable || p.Undo == "" {
			t.Fatalf("people were shown %q, undo %q", p.Effect, p.Undo)
		}
		c.Grant = &g
		if res := b.done(t, c); res.Undo != "dependent.restore" || s.read() != value {
			t.Fatalf("updated: %+v", res)
		}
		if row := b.row(t, c.Step); row.Left == nil || strings.Contains(string(row.Undo)+string(row.Before), "old value") {
			t.Fatalf("the undo record is %+v", row)
		}
		check := b.call("dependent.check", "dependent", nil)
		check.With = c.With
		check.With["dependent"] = withoutRedeploy(s.dependent)
		if res := b.done(t, check); res.Outputs["healthy"] != true {
			t.Errorf("checked: %+v", res)
		}
		back := b.call("dependent.restore", "dependent", nil)
		back.With = map[string]any{"dependent": s.dependent, "step": c.Step}
		if _, err := b.do(t, back); err == nil {
			t.Fatal("it was put back without people")
		}
		g = b.grantFor(t, "undo", back, "ann", "bob")
		if g.Envelope.Calls[0].Effect != signoff.EffectFinal {
			t.Error("putting a stolen key back is not final")
		}
		back.Grant = &g
		if b.done(t, back); s.read() != "the old value" {
			t.Error("the old value was not put back")
		}
		if b.row(t, c.Step).UndoneAt.IsZero() {
			t.Error("the undo record does not say that it was used")
		}
	})
}

func withoutRedeploy(d incident.Dependent) incident.Dependent {
	d.Redeploy = nil
	return d
}

func TestALostAnswerOfAnUndoableUpdateIsInForceAndNotWrittenTwice(t *testing.T) {
	t.Parallel()
	eachShelf(t, func(t *testing.T, b *bench, s shelf) {
		c, value := b.handOver(t, s)
		g := b.grant(t, c, "ann", "bob")
		c.Grant = &g
		in := In{c}
		a := must(b.h.action(c.Action))(t)
		e := must(a.DryRun(t.Context(), b.h, in))(t)
		b.started(t, c)
		if _, err := b.h.keepUndo(t.Context(), a, in, e); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Run(t.Context(), b.h, in); err != nil {
			t.Fatal(err)
		}
		st := must(must(b.h.store(s.dependent))(t).State(t.Context(), s.dependent))(t)
		res := b.done(t, c)
		if !res.Already || res.Undo != "dependent.restore" || s.read() != value {
			t.Errorf("%+v", res)
		}
		if now := must(must(b.h.store(s.dependent))(t).State(t.Context(), s.dependent))(t); now.Fields["version"] != st.Fields["version"] {
			t.Error("the value was written twice")
		}
	})
}

func TestWhatSomebodyElseWroteSinceIsAskedAboutAnew(t *testing.T) {
	t.Parallel()
	eachShelf(t, func(t *testing.T, b *bench, s shelf) {
		c, _ := b.handOver(t, s)
		g := b.grant(t, c, "ann", "bob")
		c.Grant = &g
		s.write("a value of somebody else")
		_, err := b.do(t, c)
		refused(t, err, wire.ErrDrifted)
		if s.read() != "a value of somebody else" {
			t.Error("it was written over")
		}
	})
}

func TestTheWayBackIsTheStateThatPeopleSawLast(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.withShelves(t)["vault"]
	c, _ := b.handOver(t, s)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	in, a := In{c}, must(b.h.action(c.Action))(t)
	stale := must(a.DryRun(t.Context(), b.h, in))(t)
	s.write("a later value")
	_, err := b.h.undoably(t.Context(), a, in, stale) // as when somebody writes between the look and the write
	refused(t, err, wire.ErrDrifted)
	for _, row := range must(b.h.DB.Undos(t.Context(), "run-1"))(t) {
		if row.Step == c.Step {
			t.Errorf("a way back to a state that was never left: %+v", row)
		}
	}
}

func TestAHealthCheckGoesOnlyWhereTheConfigurationLetsIt(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.withShelves(t)["vault"]
	s.write("x")
	health := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTeapot) }))
	c := b.call("dependent.check", "dependent", nil)
	d := s.dependent
	d.Check = map[string]string{"kind": "http", "url": health + "/?token=hidden-in-the-query", "status": "418"}
	c.With = map[string]any{"dependent": d}
	_, err := b.do(t, c)
	refused(t, err, wire.ErrPermanent)
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("the error shows the address: %v", err)
	}
	b.h.Outbound = must(outbound.NewGuard(nil, []string{"127.0.0.1"}))(t)
	if res := b.done(t, c); res.Outputs["healthy"] != true {
		t.Errorf("%+v", res)
	}
	d.Check["status"] = "200"
	if res := b.done(t, c); res.Outputs["healthy"] != false || strings.Contains(res.Summary, "hidden") {
		t.Errorf("%+v", res)
	}
}

func TestAPausedDeploymentIsSaidBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.withShelves(t)["kubernetes"]
	s.dependent.Redeploy = map[string]string{"deployment": "gone"}
	c, _ := b.handOver(t, s)
	in := In{c}
	if _, err := dryUpdate(t.Context(), b.h, in); err == nil {
		t.Error("a workload that is not there is planned to be restarted")
	}
}
