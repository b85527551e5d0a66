package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func at(path string) map[string]string { return map[string]string{"TOURNIQUET_CONFIG": path} }

// compared runs inventory check and gives what it found, by check.
func compared(t *testing.T, path string) (ran, map[string]finding) {
	t.Helper()
	r := command(t, at(path), "inventory", "check", "-o", "json")
	var list []finding
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatalf("%v: %s%s", err, r.out, r.talk)
	}
	found := map[string]finding{}
	for _, f := range list {
		found[f.Check] = f
	}
	return r, found
}

func TestAnInventoryThatIsTrueIsFoundTrueByReadingOnly(t *testing.T) {
	t.Parallel()
	path, stage := staged(t)
	r, found := compared(t, path)
	if r.code != exitGood || len(found) != 4 {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	for _, e := range stage.World.Entries() {
		if e.Actor == sandbox.ActorResponder && e.Effect != sandbox.EffectObserve {
			t.Errorf("it did something: %+v", e)
		}
	}
	list := command(t, at(path), "inventory", "list")
	if list.code != exitGood || !strings.Contains(list.out, "kim") || !strings.Contains(list.out, "github_actions_secret") {
		t.Errorf("exit %d: %s%s", list.code, list.out, list.talk)
	}
}

func TestWhatIsNotTrueIsNamedWithItsMend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, now, want string }{
		"a key that is not there":          {"id: ", "id: x", "knows no key"},
		"an account that is not there":     {`account: "demo"`, `account: "other"`, `no account "other"`},
		"an owner whom nobody knows":       {`owner: "kim"`, `owner: "zoe"`, "zoe cannot be reached"},
		"a secret that is not there":       {"_GEMINI_KEY", "_GEMINI_KEY_2", "there is no secret of this name"},
		"a workflow that is not there":     {"deploy.yml", "gone.yml", "404"},
		"a check that leads to nowhere":    {"http://127.0.0.1", "ftp://127.0.0.1", "check url"},
		"a repository that is not visible": {"repo: shop", "repo: hidden", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, _ := staged(t)
			spoil(t, filepath.Join(filepath.Dir(path), "inventory.yaml"), c.old, c.now)
			r, found := compared(t, path)
			said := false
			for _, f := range found {
				said = said || f.Status == foundFault && strings.Contains(f.Detail, c.want) && f.Mend != ""
			}
			if r.code != exitFailed || !said {
				t.Errorf("exit %d, want %q: %s", r.code, c.want, r.out)
			}
		})
	}
}

func TestLintTellsFaultsAtTheirPlaceAndNeedsNoConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	write(t, file, "keys:\n  - provider: gemini\n    id: k1\n    ownr: ana\n")
	r := command(t, at(filepath.Join(t.TempDir(), "none.yaml")), "inventory", "lint", file)
	if r.code != exitMisuse || !strings.Contains(r.out, ":4:5: error: the field \"ownr\"") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	write(t, file, "keys:\n  - provider: gemini\n    id: k1\n")
	if r := command(t, nil, "inventory", "lint", file); r.code != exitGood {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
}

func TestWhatIsMissingIsSuggestedAsYAMLThatTheInventoryTakes(t *testing.T) {
	t.Parallel()
	path, stage := staged(t)
	hostile := stage.World.NewGeminiKey(sandbox.GeminiKey{Project: "demo-shop", Name: "a name\n  - provider: evil"})
	stage.GitHub.SetSecret("example-org", "shop", "", "OPENAI_API_KEY", random(t))
	stage.GitHub.SetSecret("example-org", "shop", "", "DATABASE_URL", random(t))
	stage.GitHub.SetSecret("example-org", "shop", sandbox.ScopeDependabot, "ANTHROPIC_API_KEY", random(t))
	stage.GitHub.SetSecret("example-org", "shop", sandbox.ScopeCodespaces, "GEMINI_TRIAL_KEY", random(t))
	r := command(t, at(path), "inventory", "suggest")
	if r.code != exitGood || !strings.Contains(r.out, hostile.ID) || !strings.Contains(r.out, "OPENAI_API_KEY") ||
		!strings.Contains(r.out, "github_dependabot_secret") || !strings.Contains(r.out, "GEMINI_TRIAL_KEY") {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	for _, never := range []string{stage.Key.ID, "DATABASE_URL", "SHOP_GEMINI_KEY", hostile.Secret()} {
		if strings.Contains(r.out, never) {
			t.Errorf("%q is suggested: %s", never, r.out)
		}
	}
	keys, _, _ := strings.Cut(r.out, "# secrets")
	inv, faults := inventory.Load("suggested.yaml", []byte("keys:\n"+keys))
	if len(faults) > 0 || len(inv.Entries()) != 1 {
		t.Errorf("what is suggested is not what the inventory takes: %v\n%s", faults, keys)
	}
	if r := command(t, at(path), "inventory", "suggest", "--repo", "no-slash"); r.code != exitMisuse {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
}
