package openrouter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// house is a world with OpenRouter in it, and a provider that is pointed there.
type house struct {
	*openrouter.Provider
	world *sandbox.World
	url   string
	seen  *[]string
}

func build(t *testing.T) house {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1})
	var seen []string
	inner := w.OpenRouter()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path)
		inner.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	p, err := open(srv.URL, w.AdminToken())
	if err != nil {
		t.Fatal(err)
	}
	return house{p, w, srv.URL, &seen}
}

func open(url, management string) (*openrouter.Provider, error) {
	return openrouter.New(openrouter.Config{Account: "main", ManagementKey: management, BaseURL: url + "/api/v1"})
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h house) find(t *testing.T, k sandbox.Key) incident.Key {
	t.Helper()
	found := must(h.Identify(t.Context(), incident.Clue{}, []byte(k.Secret())))(t)
	if len(found) != 1 || found[0].ID != k.ID {
		t.Fatalf("found %+v", found)
	}
	return found[0]
}

func (h house) spend(t *testing.T, secret string, want int) {
	t.Helper()
	res := must(http.DefaultClient.Do(must(sandbox.OpenRouterCall(t.Context(), h.url, secret, 1000))(t)))(t)
	_ = res.Body.Close()
	if res.StatusCode != want {
		t.Fatalf("a model call was answered %d, not %d", res.StatusCode, want)
	}
}

func (h house) probe(t *testing.T, secret, want string) {
	t.Helper()
	if got := must(h.Probe(t.Context(), incident.Key{}, []byte(secret)))(t); got.State != want {
		t.Fatalf("%+v", got)
	}
}

func TestAKeyIsDisabledEnabledReplacedAndDeleted(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop", Limit: 50})
	key := h.find(t, stolen)
	before := must(h.State(t.Context(), keys.OpContain, key))(t)
	h.spend(t, stolen.Secret(), http.StatusOK)
	h.probe(t, stolen.Secret(), keys.ProbeWorking)
	*h.seen = nil
	if got := must(h.Contain(t.Context(), key))(t); got.After["disabled"] != "true" || len(*h.seen) != 1 || (*h.seen)[0] != "PATCH /api/v1/keys/"+key.ID {
		t.Fatalf("%+v after %v", got, *h.seen)
	}
	must(h.Contain(t.Context(), key))(t) // a repeat has the same effect
	h.spend(t, stolen.Secret(), http.StatusUnauthorized)
	if st := must(h.State(t.Context(), keys.OpContain, key))(t); !st.Done {
		t.Errorf("%+v", st)
	}
	made := must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	h.spend(t, string(made.Secret), http.StatusOK)
	if left := must(h.Orphans(t.Context(), key, "tourniquet-1"))(t); len(left) != 1 || left[0].ID != made.Key.ID {
		t.Errorf("orphans: %+v", left)
	}
	must(h.Restore(t.Context(), key, before.Undo))(t)
	h.spend(t, stolen.Secret(), http.StatusOK)
	for n := range 2 {
		got := must(h.Revoke(t.Context(), key))(t)
		if already := strings.Contains(got.Summary, "already"); already != (n == 1) {
			t.Errorf("revocation %d: %q", n+1, got.Summary)
		}
	}
	h.probe(t, stolen.Secret(), keys.ProbeRefused)
	if found := must(h.Identify(t.Context(), incident.Clue{ID: key.ID}, nil))(t); len(found) != 0 {
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
	made := must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	h.spend(t, string(made.Secret), http.StatusOK)
	h.spend(t, string(made.Secret), http.StatusForbidden)
}

func TestUsageIsDaysThatAreOverAndTheDollarsOfToday(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop"})
	h.world.OldOpenRouterUse(stolen, 48*time.Hour, 7, 3.5)
	h.world.OldOpenRouterUse(stolen, 20*24*time.Hour, 100, 9)
	h.spend(t, stolen.Secret(), http.StatusOK)
	now := time.Now()
	u := must(h.Usage(t.Context(), h.find(t, stolen), now.Add(-72*time.Hour), now))(t)
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
	found := must(h.Identify(t.Context(), incident.Clue{Hint: "sk-or-v1-0e6...c96"}, nil))(t)
	if len(found) != 3 {
		t.Errorf("%d keys fit", len(found))
	}
	traces, raw, err := h.Persistence(t.Context(), found[0], since)
	if err != nil || len(traces) != 229 || len(raw) != 4 {
		t.Errorf("%d traces, %d answers, %v", len(traces), len(raw), err)
	}
	if all := must(h.List(t.Context()))(t); len(all) != 230 {
		t.Errorf("%d keys are listed", len(all))
	}
}

func TestAKeyThatIsNoManagementKeyIsSaidByCheck(t *testing.T) {
	t.Parallel()
	h := build(t)
	p := must(open(h.url, h.world.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "ordinary"}).Secret()))(t)
	if err := p.Check(t.Context()); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "Only management keys") {
		t.Errorf("check says %v", err)
	}
}
