package bedrock_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestBothKindsOfLastingKeyAreContainedGivenBackAndDeleted(t *testing.T) {
	t.Parallel()
	for name, leak := range map[string]func(*sandbox.World) sandbox.Key{
		"access key": func(w *sandbox.World) sandbox.Key { return w.NewAWSAccessKey("shop") },
		"api key":    func(w *sandbox.World) sandbox.Key { return w.NewAWSAPIKey("BedrockAPIKey-8f2a") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, ctx := build(t), within(t)
			stolen := leak(h.world)
			k := h.find(t, stolen)
			if k.ID != stolen.ID || k.Project != sandbox.AWSAccountID || k.UID != stolen.UID {
				t.Fatalf("identified as %+v", k)
			}
			h.probe(t, k, stolen.Secret(), keys.ProbeWorking)
			st := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, k))
			if st.Done || st.Fields["status"] != "Active" {
				t.Fatalf("the state before is %+v", st)
			}
			must[keys.Receipt](t)(h.provider.Contain(ctx, k))
			must[keys.Receipt](t)(h.provider.Contain(ctx, k)) // twice is as good as once
			h.probe(t, k, stolen.Secret(), keys.ProbeRefused)
			if code := h.spend(t, stolen, "us-east-1"); code != http.StatusForbidden {
				t.Fatalf("a contained key spends: %d", code)
			}
			must[keys.Receipt](t)(h.provider.Restore(ctx, k, st.Undo))
			h.probe(t, k, stolen.Secret(), keys.ProbeWorking)
			must[keys.Receipt](t)(h.provider.Revoke(ctx, k))
			h.probe(t, k, stolen.Secret(), keys.ProbeRefused)
			again := must[keys.Receipt](t)(h.provider.Revoke(ctx, k))
			if !strings.Contains(again.Summary, "already") {
				t.Errorf("deleting twice says %q", again.Summary)
			}
			if got := must[keys.Receipt](t)(h.provider.Contain(ctx, k)); !strings.Contains(got.Summary, "already") {
				t.Errorf("containing a deleted key says %q", got.Summary)
			}
			if st := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, k)); !st.Done {
				t.Error("the deleted key is said to exist")
			}
			if _, err := h.provider.Restore(ctx, k, st.Undo); err == nil {
				t.Error("a deleted key was given back")
			}
		})
	}
}

func TestContainingIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	h := build(t)
	k := h.find(t, h.world.NewAWSAccessKey("shop"))
	before := h.seen.count("")
	must[keys.Receipt](t)(h.provider.Contain(within(t), k))
	if n := h.seen.count("") - before; n != 1 {
		t.Fatalf("%d calls", n)
	}
}
