package azureopenai_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// rights are what each request needs.
var rights = []struct{ request, right string }{
	{"POST .*/listKeys ", "Microsoft.CognitiveServices/accounts/listKeys/action"},
	{"POST .*/regenerateKey ", "Microsoft.CognitiveServices/accounts/regenerateKey/action"},
	{"PATCH .*/accounts/[^/]+ ", "Microsoft.CognitiveServices/accounts/write"},
	{"GET .*/accounts/[^/]+ ", "Microsoft.CognitiveServices/accounts/read"},
	{"GET .*/operationResults/", "Microsoft.CognitiveServices/locations/operationResults/read"},
	{"GET .*/microsoft.insights/metrics ", "Microsoft.Insights/metrics/read"},
	{"GET .*/eventtypes/management/values ", "Microsoft.Insights/eventtypes/values/read"},
}

func TestTheDocumentedRoleIsWhatWeCallAndNothingMore(t *testing.T) {
	t.Parallel()
	page := must[[]byte](t)(os.ReadFile("../../../docs/providers/azure.md"))
	block := regexp.MustCompile("(?s)```jsonc\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("the page shows no role")
	}
	var role struct{ Actions []string }
	if err := json.Unmarshal(block[1], &role); err != nil {
		t.Fatal(err)
	}
	h, ctx := in(t, sandbox.NewWorld(sandbox.Options{AzureDelay: time.Millisecond, RevocationDelay: -1})), within(t)
	k := h.find(t)
	calls := everything(ctx, h, k)
	for _, name := range []string{"identify", "state", "slot", "contain", "restore", "create", "usage", "persistence", "check", "revoke"} {
		if err := calls[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	must[keys.Probed](t)(h.provider.Probe(ctx, incident.Key{}, []byte(h.stolen.Secret())))
	used := map[string]bool{}
	for _, r := range h.seen.list {
		if strings.HasPrefix(r, "GET /openai/") { // with the stolen key, never with our token
			continue
		}
		i := slices.IndexFunc(rights, func(one struct{ request, right string }) bool {
			return regexp.MustCompile("^" + one.request).MatchString(r)
		})
		if i < 0 {
			t.Errorf("%s needs a right that this test does not know", r)
			continue
		}
		used[rights[i].right] = true
		if !slices.Contains(role.Actions, rights[i].right) {
			t.Errorf("%s is not in the documented role", rights[i].right)
		}
	}
	for _, a := range role.Actions {
		if !used[a] {
			t.Errorf("%s is in the documented role and never used", a)
		}
	}
}
