package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func TestEveryRoleIsAHouseThatCanBeBuilt(t *testing.T) {
	t.Parallel()
	for _, r := range []role{"", roleAll, roleAPI, roleWorker} {
		if err := fx.ValidateApp(app(settings{Config: &config.Config{}, Role: r})); err != nil {
			t.Errorf("role %q: %v", r, err)
		}
	}
}

func TestRolesAreTakenByNameAndNothingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]role{"": roleAll, "all": roleAll, "api": roleAPI, "worker": roleWorker, "api,worker": roleAll, "worker, api": roleAll} {
		if got, err := parseRole(text); err != nil || got != want {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"boss", "api,boss", "API"} {
		if _, err := parseRole(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestHalfAHouseSaysWhatItsConfigurationLacks(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	for _, r := range []string{"api", "worker"} {
		got := command(t, map[string]string{"TOURNIQUET_CONFIG": path}, "serve", "--role", r)
		for _, word := range []string{"temporal.mode: external", "database.driver: postgres", "evidence.url"} {
			if got.code != exitFailed || !strings.Contains(got.talk, word) {
				t.Errorf("role %s: exit %d without %q: %s", r, got.code, word, got.talk)
			}
		}
		if lacks := strings.Contains(got.talk, "encryption.public_keys"); lacks != (r == "worker") {
			t.Errorf("role %s: %s", r, got.talk)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "data", "signing.json")); err == nil {
		t.Error("a worker made a signing key")
	}
}

func TestKeyFilesAreMadeShownAndRotatedByCommand(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	env := map[string]string{"TOURNIQUET_CONFIG": path}
	shown := func(args ...string) (out struct {
		Ring    []string          `json:"ring"`
		Active  string            `json:"active"`
		Signing string            `json:"signing"`
		Public  map[string]string `json:"public_keys"`
	}) {
		t.Helper()
		r := command(t, env, append([]string{"encryption", "-o", "json"}, args...)...)
		if r.code != exitGood {
			t.Fatalf("%v: exit %d: %s", args, r.code, r.talk)
		}
		if err := json.Unmarshal([]byte(r.out), &out); err != nil {
			t.Fatalf("%v: %v: %s", args, err, r.out)
		}
		return out
	}
	first := shown("init")
	if again := shown("init"); again.Active != first.Active || again.Signing != first.Signing {
		t.Error("making the files again made other keys")
	}
	added := shown("add")
	if len(added.Ring) != 2 || added.Active != first.Active {
		t.Errorf("after add %+v", added)
	}
	if now := shown("activate", added.Ring[1]); now.Active != added.Ring[1] || len(now.Ring) != 2 {
		t.Errorf("after activate %+v", now)
	}
	rotated := shown("rotate-signing")
	if rotated.Signing == first.Signing || len(rotated.Public) != 2 || rotated.Public[first.Signing] != first.Public[first.Signing] {
		t.Errorf("after rotating %+v", rotated)
	}
	r := command(t, env, "encryption", "public")
	public := filepath.Join(t.TempDir(), "public.json")
	write(t, public, r.out)
	if keys, err := seal.LoadPublic(public); err != nil || len(keys) != 2 {
		t.Errorf("a worker reads %v, %v", keys, err)
	}
	if r := command(t, env, "encryption", "activate", "k-none"); r.code != exitFailed || !strings.Contains(r.talk, "not among its keys") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
}
