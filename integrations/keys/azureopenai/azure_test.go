package azureopenai_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestAKeyIsContainedGivenBackAndRegenerated(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	k := h.find(t)
	if k.ID != sandbox.AzureResource+"/key1" {
		t.Fatalf("identified as %+v", k)
	}
	h.probe(t, h.stolen.Secret(), keys.ProbeWorking)
	st := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, k))
	must[keys.Receipt](t)(h.provider.Contain(ctx, k))
	must[keys.Receipt](t)(h.provider.Contain(ctx, k)) // twice is as good as once
	h.probe(t, h.stolen.Secret(), keys.ProbeRefused)
	h.probe(t, h.world.AzureKey(2).Secret(), keys.ProbeRefused) // that is why it reaches the account
	if c := h.provider.Can(keys.OpContain); c.Reach != keys.ReachAccount || !strings.Contains(c.What, "both keys") {
		t.Errorf("the card would say %+v", c)
	}
	must[keys.Receipt](t)(h.provider.Restore(ctx, k, st.Undo))
	h.probe(t, h.stolen.Secret(), keys.ProbeWorking)
	must[keys.Receipt](t)(h.provider.Revoke(ctx, k))
	h.probe(t, h.stolen.Secret(), keys.ProbeRefused)
	if code := h.spend(t, h.stolen.Secret()); code != http.StatusUnauthorized {
		t.Errorf("a regenerated key spends: %d", code)
	}
}

func TestASlotThatWasRegeneratedMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	k := h.find(t)
	must[keys.Receipt](t)(h.provider.Revoke(ctx, k))
	fresh := h.world.AzureKey(1).Secret()
	if st := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, k)); !st.Done {
		t.Error("the regenerated key is said to live")
	}
	if got := must[keys.Receipt](t)(h.provider.Revoke(ctx, k)); !strings.Contains(got.Summary, "already") {
		t.Errorf("a second time says %q", got.Summary)
	}
	if h.world.AzureKey(1).Secret() != fresh || h.seen.count("regenerateKey") != 1 {
		t.Fatal("the fresh key was ended, too")
	}
}

func TestTheOtherKeyIsHandedOverAndNothingIsMade(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	k := h.find(t)
	made := must[keys.Created](t)(h.provider.Create(ctx, k, "tourniquet-1"))
	if string(made.Secret) != h.world.AzureKey(2).Secret() || made.Key.ID != sandbox.AzureResource+"/key2" {
		t.Fatalf("handed over was %+v", made.Key)
	}
	if left := must[[]incident.Key](t)(h.provider.Orphans(ctx, k, "tourniquet-1")); len(left) != 0 {
		t.Fatalf("%v would be regenerated as orphans", left)
	}
	must[keys.Receipt](t)(h.provider.Revoke(ctx, k))
	h.probe(t, string(made.Secret), keys.ProbeWorking) // consumers that moved there go on
}

func TestKeysAreFoundByValueNameAndHint(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	two := h.world.AzureKey(2)
	for name, clue := range map[string]incident.Clue{"slot": {ID: "Key2"}, "id": {ID: two.ID}, "hint": {Hint: two.Hint()}} {
		if found := must[[]incident.Key](t)(h.provider.Identify(ctx, clue, nil)); len(found) != 1 || found[0].ID != two.ID {
			t.Errorf("%s finds %v", name, found)
		}
	}
	for name, clue := range map[string]incident.Clue{"nothing": {}, "another id": {ID: "key3"}, "another hint": {Hint: "abcd…efgh"}} {
		if found := must[[]incident.Key](t)(h.provider.Identify(ctx, clue, nil)); len(found) != 0 {
			t.Errorf("%s finds %v", name, found)
		}
	}
	if found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(h.stolen.Secret()[1:]))); len(found) != 0 {
		t.Errorf("a part of a value finds %v", found)
	}
	if strings.Contains(h.find(t).UID, h.stolen.Secret()[:8]) {
		t.Error("the fingerprint shows the value")
	}
}

func TestASlowChangeIsWaitedForAndASecondOneIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := in(t, sandbox.NewWorld(sandbox.Options{AzureDelay: time.Second}))
	k := h.find(t)
	got := must[keys.Receipt](t)(h.provider.Contain(within(t), k))
	if got.After["key_authentication"] != "off" || h.seen.count("operationResults") == 0 {
		t.Fatalf("the receipt says %v after %d looks", got.After, h.seen.count("operationResults"))
	}
	h.probe(t, h.stolen.Secret(), keys.ProbeRefused)
	h.world.Fault("azure-arm", http.StatusConflict, 1)
	if _, err := h.provider.Contain(within(t), k); err == nil || keys.IsPermanent(err) {
		t.Fatalf("a change under way is said to be %v", err)
	}
}

func TestUsageIsThatOfTheWholeResource(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, func(c *azureopenai.Config) { c.MicroUSDPerRequest, c.PriceBasis = 2000, "our own list" }), within(t)
	for range 12 {
		h.spend(t, h.stolen.Secret())
	}
	u := must[keys.Usage](t)(h.provider.Usage(ctx, h.find(t), time.Now().Add(-time.Hour), time.Now()))
	if u.Requests != 12 || u.Tokens != 12*1008 || u.MicroUSD != 24000 || !u.CostKnown || len(u.Raw) != 1 || u.FirstAbuse.IsZero() {
		t.Fatalf("requests %d, tokens %d, micro dollars %d, evidence %d, first abuse %v", u.Requests, u.Tokens, u.MicroUSD, len(u.Raw), u.FirstAbuse)
	}
	traces, raw, err := h.provider.Persistence(ctx, h.find(t), time.Now().Add(-time.Hour))
	if err != nil || len(raw) != 1 || !slices.ContainsFunc(traces, func(tr keys.Trace) bool { return strings.Contains(tr.What, "listKeys/action") }) {
		t.Fatalf("the activity log: %v, %d answers, %v", traces, len(raw), err)
	}
}

func TestCheckReadsAndChangesNothing(t *testing.T) {
	t.Parallel()
	h := build(t)
	if err := h.provider.Check(within(t)); err != nil {
		t.Fatal(err)
	}
	if h.seen.count("regenerateKey")+h.seen.count("PATCH") != 0 {
		t.Error("the check changed something")
	}
	wrong := build(t, func(c *azureopenai.Config) { c.Credential = fixed("not-the-token") })
	if err := wrong.provider.Check(within(t)); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "401") {
		t.Fatalf("wrong credentials: %v", err)
	}
}

func TestBothKeysAreListedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	list := must[[]incident.Key](t)(h.provider.List(ctx))
	if len(list) != 2 || list[0].ID != sandbox.AzureResource+"/key1" || list[1].Hint != h.world.AzureKey(2).Hint() {
		t.Fatalf("listed %+v", list)
	}
	noSecret(t, h.stolen.Secret(), list[0].UID+" "+list[0].Hint+" "+list[0].Name)
	must[keys.Receipt](t)(h.provider.Contain(ctx, list[0]))
	if _, err := h.provider.List(ctx); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "key.restore") {
		t.Errorf("while the resource takes no keys: %v", err)
	}
}
