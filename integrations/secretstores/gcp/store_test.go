package gcp_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/gcp"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func at(t *testing.T, url, token string) *gcp.Store {
	t.Helper()
	s, err := gcp.New(t.Context(), gcp.Options{Endpoint: url, Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type room struct {
	world   *sandbox.World
	secrets *sandbox.GCPSecrets
	storetest.Bench
}

func open(t *testing.T) room {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{})
	g := w.GCPSecrets()
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	return room{w, g, storetest.Bench{
		Store:     at(t, srv.URL, w.AdminToken()),
		Dependent: incident.Dependent{ID: "shop", Kind: gcp.Kind, Address: map[string]string{"project": "acme-prod", "name": "shop-key"}},
		Write:     func(v string) { g.SetSecret("acme-prod", "shop-key", v) },
		Read:      func() string { got, _ := g.Secret("acme-prod", "shop-key"); return got },
	}}
}

func TestAVersionIsAddedSeenAndPutBackAsANewOne(t *testing.T) {
	t.Parallel()
	r := open(t)
	storetest.Round(t, r.Bench)
	if _, version := r.secrets.Secret("acme-prod", "shop-key"); version != 3 {
		t.Errorf("the newest version is %d, want 3: latest is what applications read", version)
	}
}

func TestWhatSomebodyElseWroteIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	storetest.Moved(t, open(t).Bench)
}

func TestWithoutAReadableVersionTheUpdateIsFinal(t *testing.T) {
	t.Parallel()
	r := open(t)
	if _, err := r.Store.State(t.Context(), r.Dependent); !keys.IsPermanent(err) {
		t.Errorf("a secret that does not exist: %v", err)
	}
	r.Write("")
	if st, err := r.Store.State(t.Context(), r.Dependent); err != nil || st.Undo != nil || st.Fields["exists"] != "false" {
		t.Errorf("a secret without versions: %+v %v", st, err)
	}
	r.Write(storetest.Value(t))
	st, err := r.Store.State(t.Context(), r.Dependent)
	if err != nil || st.Undo == nil {
		t.Fatalf("%+v %v", st, err)
	}
	r.secrets.Disable("acme-prod", "shop-key")
	if st, err := r.Store.State(t.Context(), r.Dependent); err != nil || st.Undo != nil {
		t.Errorf("a disabled version: %+v %v", st, err)
	}
	if h, err := r.Store.Holds(t.Context(), r.Dependent, nil); err != nil || h.Healthy {
		t.Errorf("%+v %v", h, err)
	}
	if _, err := r.Store.Restore(t.Context(), r.Dependent, st.Undo, nil, storetest.Change(t, r.Bench, "")); !keys.IsPermanent(err) {
		t.Errorf("a disabled version was put back: %v", err)
	}
}

func TestALostAnswerIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.Write(storetest.Value(t))
	c := storetest.Change(t, r.Bench, storetest.Value(t))
	r.world.Fault("secretmanager", sandbox.FaultLost, 2) // the look, and the answer of adding
	_, _ = r.Store.Update(t.Context(), r.Dependent, c)
	adds := 0
	for _, e := range r.world.Entries() {
		if e.Method == "POST" && strings.HasSuffix(e.Path, ":addVersion") {
			adds++
		}
	}
	if _, version := r.secrets.Secret("acme-prod", "shop-key"); adds > 1 || version != 1+adds {
		t.Errorf("%d versions were added by %d requests", version-1, adds)
	}
}

func TestAddressesThatCannotBeAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	r := open(t)
	storetest.Misnamed(t, r.Bench, func() int { return len(r.world.Entries()) },
		map[string]string{"project": ""}, map[string]string{"project": ".."}, map[string]string{"name": "a/b"}, map[string]string{"name": ""})
	if _, err := gcp.New(t.Context(), gcp.Options{}); err == nil {
		t.Error("a store without credentials was made")
	}
	if err := r.Store.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
