package bedrock_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// documented are the actions of the policy that operators are told to give us.
func documented(t *testing.T) []string {
	t.Helper()
	page := must[[]byte](t)(os.ReadFile("../../../docs/providers/aws.md"))
	block := regexp.MustCompile("(?s)```jsonc\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("the page shows no policy")
	}
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal(block[1], &policy); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range policy.Statement {
		out = append(out, s.Action...)
	}
	return out
}

// called are the actions behind the requests that were seen.
func (s *requests) called() map[string]bool {
	out := map[string]bool{}
	action := regexp.MustCompile(`Action=([A-Za-z]+)`)
	for _, one := range s.list {
		switch m := action.FindStringSubmatch(one); {
		case m != nil && (m[1] == "GetCallerIdentity" || m[1] == "GetAccessKeyInfo"):
			out["sts:"+m[1]] = true
		case m != nil:
			out["iam:"+m[1]] = true
		case strings.Contains(one, "LookupEvents"):
			out["cloudtrail:LookupEvents"] = true
		case strings.Contains(one, "GetCostAndUsage"):
			out["ce:GetCostAndUsage"] = true
		case strings.HasPrefix(one, "GET /logging/modelinvocations"):
			out["bedrock:GetModelInvocationLoggingConfiguration"] = true
		case strings.HasPrefix(one, "GET /foundation-models"), strings.HasPrefix(one, "POST /model/"): // with the stolen key, never with ours
		default:
			out["unknown: "+one] = true
		}
	}
	return out
}

func TestTheDocumentedPolicyIsWhatWeCallAndNothingMore(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	h.world.LimitAWSResponder(documented(t))
	session, short := h.world.NewAWSSession("chat-service")
	h.useSession(t, short)
	for _, stolen := range []sandbox.Key{h.world.NewAWSAccessKey("shop"), h.world.NewAWSAPIKey("BedrockAPIKey-8f2a"), session} {
		k := h.find(t, stolen)
		calls := everything(ctx, h, k, stolen)
		order := slices.Sorted(maps.Keys(calls))
		slices.SortStableFunc(order, func(a, b string) int { return map[string]int{"revoke": 1}[a] - map[string]int{"revoke": 1}[b] })
		for _, name := range order {
			if err := calls[name](); err != nil && strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("%s of %s: %v", name, k.ID, err)
			}
		}
		must[keys.State](t)(h.provider.State(ctx, keys.OpContain, k))
		_, _ = h.provider.Restore(ctx, k, []byte(`{"op":"sessions"}`))
	}
	must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{ID: "AKIAQQQQQQQQQQQQQQQQ"}, nil))
	got := h.seen.called()
	delete(got, "sts:GetCallerIdentity") // everybody may ask who he is
	allowed := documented(t)
	for name := range got {
		if !slices.Contains(allowed, name) {
			t.Errorf("%s is called and not in the documented policy", name)
		}
	}
	for _, name := range allowed {
		if !got[name] {
			t.Errorf("%s is in the documented policy and never called", name)
		}
	}
}
