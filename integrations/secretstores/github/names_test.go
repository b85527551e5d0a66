package github_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestSecretsOfEveryFamilyAreListedByName(t *testing.T) {
	t.Parallel()
	r := open(t)
	for scope, name := range map[string]string{"": "A_KEY", "prod": "P_KEY", sandbox.ScopeDependabot: "D_KEY", sandbox.ScopeCodespaces: "C_KEY"} {
		r.hub.SetSecret("acme", "listed", scope, name, value(t))
	}
	found, err := r.store.Secrets(t.Context(), "acme", "listed", "prod", "no-such-environment")
	var got []string
	for _, d := range found {
		got = append(got, strings.TrimPrefix(d.Kind, "github_")+" "+d.Address["name"]+" "+d.Address["environment"])
	}
	want := []string{"actions_secret A_KEY ", "dependabot_secret D_KEY ", "codespaces_secret C_KEY ", "environment_secret P_KEY prod"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	r.world.Fault("github", http.StatusForbidden, 1)
	if _, err := r.store.Secrets(t.Context(), "acme", "listed"); !keys.IsPermanent(err) {
		t.Errorf("without the right to list: %v", err)
	}
	if _, err := r.store.Secrets(t.Context(), "acme", "../x"); !keys.IsPermanent(err) {
		t.Errorf("a path as name: %v", err)
	}
}
