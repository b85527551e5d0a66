package sandbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// slackDescribed is Slack's own description of a method: which scopes allow it and which errors it may answer.
type slackDescribed struct {
	Scope  struct{ Bot []string }
	Errors map[string]any
}

// described reads it, where the descriptions lie beside the sources.
func described(t *testing.T, method string) (slackDescribed, bool) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "contracts", "slack", method+".json"))
	if err != nil {
		return slackDescribed{}, false
	}
	var d slackDescribed
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return d, true
}

const slackCommonErrors = "not_authed invalid_auth account_inactive token_revoked token_expired missing_scope not_allowed_token_type " +
	"invalid_arguments invalid_form_data internal_error fatal_error ratelimited service_unavailable unknown_method"

func checkDescribed(t *testing.T, method, code string) {
	t.Helper()
	d, known := described(t, method)
	if _, listed := d.Errors[code]; known && code != "" && !listed && !slices.Contains(strings.Fields(slackCommonErrors), code) {
		t.Errorf("%s is refused with %q, which Slack never does", method, code)
	}
}

func TestEveryMethodAsksForAScopeThatSlackNames(t *testing.T) {
	t.Parallel()
	for name, m := range slackMethods() {
		if d, known := described(t, name); known && m.scope != "" && !slices.Contains(d.Scope.Bot, m.scope) {
			t.Errorf("%s asks for the scope %q, and Slack for one of %v", name, m.scope, d.Scope.Bot)
		} else if known && m.scope == "" && len(d.Scope.Bot) > 0 {
			t.Errorf("%s asks for no scope, and Slack for one of %v", name, d.Scope.Bot)
		}
	}
}
