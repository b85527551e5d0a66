package openrouter_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/keytest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// house is a world with the service in it, and a provider that is pointed there.
type house struct {
	*openrouter.Provider
	keytest.Bench[*openrouter.Provider]
	world *sandbox.World
}

func build(t *testing.T) house {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1})
	b := keytest.Open(t, w.OpenRouter(), keytest.Call(sandbox.OpenRouterCall), func(url string) (*openrouter.Provider, error) { return open(url, w.AdminToken()) })
	return house{b.Provider, b, w}
}

func open(url, management string) (*openrouter.Provider, error) {
	return openrouter.New(openrouter.Config{Account: "main", ManagementKey: management, BaseURL: url + "/api/v1"})
}

func (h house) find(t *testing.T, k sandbox.Key) incident.Key {
	t.Helper()
	return h.Find(t, k, k.ID)
}

func TestAKeyIsDisabledEnabledReplacedAndDeleted(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop", Limit: 50})
	key := h.find(t, stolen)
	before := keytest.Must(h.State(t.Context(), keys.OpContain, key))(t)
	h.Spend(t, stolen.Secret(), http.StatusOK)
	h.Tries(t, stolen.Secret(), keys.ProbeWorking)
	h.Forget()
	if got := keytest.Must(h.Contain(t.Context(), key))(t); got.After["disabled"] != "true" || len(h.Seen()) != 1 || h.Seen()[0] != "PATCH /api/v1/keys/"+key.ID {
		t.Fatalf("%+v after %v", got, h.Seen())
	}
	keytest.Must(h.Contain(t.Context(), key))(t) // a repeat has the same effect
	h.Spend(t, stolen.Secret(), http.StatusUnauthorized)
	if st := keytest.Must(h.State(t.Context(), keys.OpContain, key))(t); !st.Done {
		t.Errorf("%+v", st)
	}
	made := keytest.Must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	h.Spend(t, string(made.Secret), http.StatusOK)
	if left := keytest.Must(h.Orphans(t.Context(), key, "tourniquet-1"))(t); len(left) != 1 || left[0].ID != made.Key.ID {
		t.Errorf("orphans: %+v", left)
	}
	keytest.Must(h.Restore(t.Context(), key, before.Undo))(t)
	h.Spend(t, stolen.Secret(), http.StatusOK)
	for n := range 2 {
		got := keytest.Must(h.Revoke(t.Context(), key))(t)
		if already := strings.Contains(got.Summary, "already"); already != (n == 1) {
			t.Errorf("revocation %d: %q", n+1, got.Summary)
		}
	}
	h.Tries(t, stolen.Secret(), keys.ProbeRefused)
	if found := keytest.Must(h.Identify(t.Context(), incident.Clue{ID: key.ID}, nil))(t); len(found) != 0 {
		t.Errorf("it is still there: %+v", found)
	}
	if _, err := h.Create(t.Context(), key, "tourniquet-2"); !keys.IsPermanent(err) {
		t.Errorf("a key like one that is gone: %v", err)
	}
}

func TestTheNewKeyHasTheLimitOfTheOldOne(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.find(t, h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop", Limit: 0.01}))
	made := keytest.Must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	h.Spend(t, string(made.Secret), http.StatusOK)
	h.Spend(t, string(made.Secret), http.StatusForbidden)
}

func TestUsageIsDaysThatAreOverAndTheDollarsOfToday(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop"})
	h.world.OldOpenRouterUse(stolen, 48*time.Hour, 7, 3.5)
	h.world.OldOpenRouterUse(stolen, 20*24*time.Hour, 100, 9)
	h.Spend(t, stolen.Secret(), http.StatusOK)
	now := time.Now()
	u := keytest.Must(h.Usage(t.Context(), h.find(t, stolen), now.Add(-72*time.Hour), now))(t)
	if u.Requests != 7 || u.Tokens != 770 || u.MicroUSD < 3_510_000 || u.MicroUSD > 3_511_000 || !strings.Contains(u.Incomplete, "today") || len(u.Raw) != 2 {
		t.Errorf("%d requests, %d tokens, %d millionths, %q, %d answers", u.Requests, u.Tokens, u.MicroUSD, u.Incomplete, len(u.Raw))
	}
}

func TestHintsMayFitSeveralKeysAndManyKeysAreRead(t *testing.T) {
	t.Parallel()
	h := build(t)
	since := time.Now()
	for n := range 230 {
		h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: fmt.Sprint(n), Value: fmt.Sprintf("sk-or-v1-0e6%05d%s", n, map[bool]string{true: "1c96", false: "2222"}[n%100 == 7])})
	}
	found := keytest.Must(h.Identify(t.Context(), incident.Clue{Hint: "sk-or-v1-0e6...c96"}, nil))(t)
	if len(found) != 3 {
		t.Errorf("%d keys fit", len(found))
	}
	traces, raw, err := h.Persistence(t.Context(), found[0], since)
	if err != nil || len(traces) != 229 || len(raw) != 4 {
		t.Errorf("%d traces, %d answers, %v", len(traces), len(raw), err)
	}
	if all := keytest.Must(h.List(t.Context()))(t); len(all) != 230 {
		t.Errorf("%d keys are listed", len(all))
	}
}

func TestAKeyThatIsNoManagementKeyIsSaidByCheck(t *testing.T) {
	t.Parallel()
	h := build(t)
	p := keytest.Must(open(h.URL, h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "ordinary"}).Secret()))(t)
	if err := p.Check(t.Context()); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "Only management keys") {
		t.Errorf("check says %v", err)
	}
}
