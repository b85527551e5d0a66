package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// shelves are the sandbox's three stores, and the sections that open them.
func shelves(t *testing.T) (w *sandbox.World, v *sandbox.Vault, a *sandbox.AWSSecrets, g *sandbox.GCPSecrets, section string, env map[string]string) {
	t.Helper()
	w = sandbox.NewWorld(sandbox.Options{})
	v, a, g = w.Vault(), w.AWSSecrets(), w.GCPSecrets()
	url := func(h http.Handler) string {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	id, secret := a.Credentials()
	section = "references:\n  vault: { address: \"" + url(v) + "\", token: \"env://VT\" }\n" +
		"  aws: { region: eu-central-1, access_key_id: \"" + id + "\", secret_access_key: \"env://AS\", endpoint: \"" + url(a) + "\" }\n" +
		"  gcp: { access_token: \"env://GT\", endpoint: \"" + url(g) + "\" }\n"
	return w, v, a, g, section, map[string]string{"VT": v.Token(), "AS": secret, "GT": w.AdminToken()}
}

func placesOf(t *testing.T, text string, env map[string]string) config.Places {
	t.Helper()
	c, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return (&shell{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}).places(c)
}

func TestAReferenceIsReadFromItsStoreOnceInTheLifeOfTheProcess(t *testing.T) {
	t.Parallel()
	_, v, a, g, section, env := shelves(t)
	value := random(t)
	fill := func(value string) {
		v.SetSecret("", "secret", "tourniquet/prod", map[string]string{"slack": value})
		a.SetSecret("eu-central-1", "tourniquet", `{"slack":"`+value+`","n":7}`)
		a.SetSecret("eu-west-1", "whole", value+"\n")
		g.SetSecret("acme", "tourniquet", value)
	}
	fill(value)
	places := placesOf(t, section, env)
	for range 2 {
		for _, ref := range []config.Secret{
			"vault://secret/tourniquet/prod#slack", "awssm://tourniquet#slack", "awssm://whole?region=eu-west-1",
			"gcpsm://projects/acme/secrets/tourniquet", "gcpsm://projects/acme/secrets/tourniquet/versions/1",
		} {
			if got, err := ref.Resolve(places); err != nil || got != value {
				t.Errorf("%s gives something else (%v)", ref, err)
			}
		}
		fill(random(t)) // what changes later is read at the next start
	}
	for ref, want := range map[config.Secret]string{
		"vault://secret/gone#slack":            "no version that can be read",
		"vault://secret/tourniquet/prod#other": `no field "other"`,
		"awssm://tourniquet#n":                 `the field "n" as text`,
		"awssm://gone":                         "404",
		"gcpsm://projects/acme/secrets/gone":   "404",
	} {
		if _, err := ref.Resolve(places); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), string(ref)) || strings.Contains(err.Error(), value) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestAStoreThatGivesNoAnswerIsAskedOnceAndTheStartGoesOn(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	free := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1); <-free }))
	t.Cleanup(func() { close(free); dead.Close() })
	c, err := config.Parse([]byte("references: { vault: { address: \"" + dead.URL + "\", token: \"env://VT\" } }"))
	if err != nil {
		t.Fatal(err)
	}
	local := settings{Config: c, Env: config.Places{Env: func(string) (string, bool) { return "hvs.x", true }}}
	r := &referenced{local: local, within: 50 * time.Millisecond, readers: map[string]reader{}, seen: map[string]found{}}
	for _, ref := range []config.Secret{"vault://secret/a#f", "vault://secret/b#f", "vault://secret/c#f"} {
		if _, err := ref.Resolve(config.Places{Stores: r.get}); err == nil || !strings.Contains(err.Error(), "no answer") || !strings.Contains(err.Error(), string(ref)) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("a dead store was asked %d times", n)
	}
}

var _ secretstores.Reader = inRegion{}

func TestDoctorAndServeReadTheSlackTokenFromAVault(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	w, v, _, _, section, env := shelves(t)
	token := filepath.Join(filepath.Dir(path), "secrets", "slack-token")
	value, err := os.ReadFile(token)
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spoiled := strings.Replace(string(body), "token: file://"+token, "token: vault://secret/tourniquet#slack", 1)
	if spoiled == string(body) {
		t.Fatalf("the stage's token lies elsewhere:\n%s", body)
	}
	write(t, path, spoiled+"\n"+section)
	_, found := examined(t, path, env)
	if f := found["secret slack.token"]; f.Status != foundFault || !strings.Contains(f.Detail, "vault://secret/tourniquet#slack") || !strings.Contains(f.Mend, "docs/secrets.md") {
		t.Errorf("an absent secret: %+v", f)
	}
	v.SetSecret("", "secret", "tourniquet", map[string]string{"slack": strings.TrimSpace(string(value))})
	r, found := examined(t, path, env)
	if r.code != exitGood || found["slack"].Status != foundOK {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	before := len(w.Entries())
	ready := make(chan string, 1)
	stop, err := open(t.Context(), settings{Config: c, Env: placesOf(t, spoiled+"\n"+section, env), World: incident.WorldProduction, Log: slog.New(slog.DiscardHandler), Ready: func(at string) { ready <- at }})
	if err != nil {
		t.Fatal(err)
	}
	if <-ready; len(w.Entries()) == before {
		t.Error("serve opened its doors without a look into the Vault")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
