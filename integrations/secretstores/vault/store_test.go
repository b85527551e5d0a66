package vault_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func at(t *testing.T, url, token string) *vault.Store {
	t.Helper()
	s, err := vault.New(vault.Options{Address: url, Token: func() (string, error) { return token, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type room struct {
	world *sandbox.World
	vault *sandbox.Vault
	storetest.Bench
}

func open(t *testing.T, namespace string) room {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{})
	v := w.Vault("strict")
	srv := httptest.NewServer(v)
	t.Cleanup(srv.Close)
	return room{w, v, storetest.Bench{
		Store: at(t, srv.URL, v.Token()),
		Dependent: incident.Dependent{ID: "shop", Kind: vault.Kind, Address: map[string]string{
			"mount": "strict", "path": "shop/prod", "field": "api_key", "namespace": namespace,
		}},
		Write: func(value string) {
			v.SetSecret(namespace, "strict", "shop/prod", map[string]string{"api_key": value, "other": "stays"})
		},
		Read: func() string { got, _ := v.Secret(namespace, "strict", "shop/prod", "api_key"); return got },
	}}
}

func TestAFieldIsWrittenSeenAndPutBackAndItsNeighboursStay(t *testing.T) {
	t.Parallel()
	for _, namespace := range []string{"", "team-a"} {
		r := open(t, namespace)
		storetest.Round(t, r.Bench)
		if other, _ := r.vault.Secret(namespace, "strict", "shop/prod", "other"); other != "stays" {
			t.Errorf("the other field is %q", other)
		}
	}
}

func TestWhatSomebodyElseWroteIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	storetest.Moved(t, open(t, "").Bench)
}

func TestAFirstValueIsFinalAndADeletedOneCannotBePutBack(t *testing.T) {
	t.Parallel()
	r := open(t, "")
	st, err := r.Store.State(t.Context(), r.Dependent)
	if err != nil || st.Fields["exists"] != "false" || st.Undo != nil {
		t.Fatalf("%+v %v", st, err)
	}
	if _, err := r.Store.Update(t.Context(), r.Dependent, storetest.Change(t, r.Bench, storetest.Value(t))); err != nil {
		t.Fatal(err)
	}
	st, err = r.Store.State(t.Context(), r.Dependent)
	if err != nil || st.Undo == nil {
		t.Fatalf("%+v %v", st, err)
	}
	r.vault.Delete("", "strict", "shop/prod", true)
	if _, err := r.Store.Restore(t.Context(), r.Dependent, st.Undo, nil, storetest.Change(t, r.Bench, "")); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "destroyed") {
		t.Errorf("%v", err)
	}
	if st, err = r.Store.State(t.Context(), r.Dependent); err != nil || st.Undo != nil {
		t.Errorf("a destroyed version: %+v %v", st, err)
	}
	if h, err := r.Store.Holds(t.Context(), r.Dependent, nil); err != nil || h.Healthy {
		t.Errorf("%+v %v", h, err)
	}
}

func TestAddressesThatCannotBeAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	r := open(t, "")
	storetest.Misnamed(t, r.Bench, func() int { return len(r.world.Entries()) },
		map[string]string{"mount": ""}, map[string]string{"path": "../sys/seal"}, map[string]string{"path": "a?b"}, map[string]string{"field": ""}, map[string]string{"mount": "a//b"})
	for _, bad := range []string{"", "vault.example.com", "ftp://x", "https://user:pw@x"} {
		if _, err := vault.New(vault.Options{Address: bad}); err == nil {
			t.Errorf("the address %q was taken", bad)
		}
	}
}

func TestTheCredentialsAreProvenByReadingOnly(t *testing.T) {
	t.Parallel()
	r := open(t, "")
	if err := r.Store.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
