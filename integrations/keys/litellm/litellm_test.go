package litellm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// house is a world with a proxy in it, and a provider that is pointed there.
type house struct {
	*litellm.Provider
	world *sandbox.World
	url   string
	seen  *[]string
}

func build(t *testing.T) house {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1})
	var seen []string
	inner := w.LiteLLM()
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

func open(url, master string) (*litellm.Provider, error) {
	return litellm.New(litellm.Config{Account: "proxy", MasterKey: master, BaseURL: url})
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
	r := must(sandbox.OpenAICall(t.Context(), h.url, secret, 1000))(t)
	res := must(http.DefaultClient.Do(r))(t)
	_ = res.Body.Close()
	if res.StatusCode != want {
		t.Fatalf("a model call was answered %d, not %d", res.StatusCode, want)
	}
}

func TestAKeyIsBlockedUnblockedReplacedAndDeleted(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop", Models: []string{"gpt-5"}, RPM: 60})
	key := h.find(t, stolen)
	before := must(h.State(t.Context(), keys.OpContain, key))(t)
	if before.Done || before.Fields["blocked"] != "false" {
		t.Fatalf("%+v", before)
	}
	h.spend(t, stolen.Secret(), http.StatusOK)
	*h.seen = nil
	receipt := must(h.Contain(t.Context(), key))(t)
	if receipt.After["blocked"] != "true" || receipt.RequestID == "" || len(*h.seen) != 1 {
		t.Fatalf("%+v after %v", receipt, *h.seen)
	}
	must(h.Contain(t.Context(), key))(t) // a repeat has the same effect
	h.spend(t, stolen.Secret(), http.StatusUnauthorized)
	h.probe(t, stolen.Secret(), keys.ProbeRefused)
	must(h.Restore(t.Context(), key, before.Undo))(t)
	h.spend(t, stolen.Secret(), http.StatusOK)
	h.probe(t, stolen.Secret(), keys.ProbeWorking)

	made := must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	h.spend(t, string(made.Secret), http.StatusOK)
	if again := h.find(t, stolen); made.Key.ID == again.ID || made.Key.Name != "shop (tourniquet-1)" {
		t.Errorf("%+v", made.Key)
	}
	if left := must(h.Orphans(t.Context(), key, "tourniquet-1"))(t); len(left) != 1 || left[0].ID != made.Key.ID || left[0].Hint != made.Key.Hint {
		t.Errorf("orphans: %+v, made %+v", left, made.Key)
	}
	for n := range 2 {
		got := must(h.Revoke(t.Context(), key))(t)
		if already := strings.Contains(got.Summary, "already"); already != (n == 1) {
			t.Errorf("revocation %d: %q", n+1, got.Summary)
		}
	}
	h.probe(t, stolen.Secret(), keys.ProbeRefused)
	if st := must(h.State(t.Context(), keys.OpRevoke, key))(t); !st.Done {
		t.Errorf("%+v", st)
	}
	if _, err := h.Create(t.Context(), key, "tourniquet-2"); !keys.IsPermanent(err) {
		t.Errorf("a key like one that is gone: %v", err)
	}
}

func (h house) probe(t *testing.T, secret, want string) {
	t.Helper()
	if got := must(h.Probe(t.Context(), incident.Key{}, []byte(secret)))(t); got.State != want {
		t.Fatalf("%+v", got)
	}
}

func TestTheNewKeyHasTheLimitsOfTheOldOne(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.find(t, h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop", Models: []string{"gpt-5"}, RPM: 60}))
	made := must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/key/info?key="+made.Key.ID, nil))(t)
	r.Header.Set("Authorization", "Bearer "+h.world.AdminToken())
	res := must(http.DefaultClient.Do(r))(t)
	defer func() { _ = res.Body.Close() }()
	var got struct {
		Info struct {
			Models []string `json:"models"`
			RPM    int      `json:"rpm_limit"`
		} `json:"info"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || len(got.Info.Models) != 1 || got.Info.Models[0] != "gpt-5" || got.Info.RPM != 60 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestADeletionThatTheProxyOnlyClaimsIsNotBelieved(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("ab", 32)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/key/delete" {
			_, _ = fmt.Fprintf(rw, `{"deleted_keys":[%q]}`, id)
			return
		}
		_, _ = fmt.Fprintf(rw, `{"key":%q,"info":{"key_name":"sk-...abcd"}}`, id)
	}))
	t.Cleanup(srv.Close)
	p := must(open(srv.URL, "sk-"+"master"))(t)
	if got, err := p.Revoke(t.Context(), incident.Key{ID: id}); err == nil || !strings.Contains(err.Error(), "still there") {
		t.Errorf("%+v %v", got, err)
	}
}

func TestUsageIsEveryCallWithAddressAgentAndDollars(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen, other := h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop"}), h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "other"})
	for range 12 {
		h.spend(t, stolen.Secret(), http.StatusOK)
	}
	h.spend(t, other.Secret(), http.StatusOK)
	now := time.Now()
	u := must(h.Usage(t.Context(), h.find(t, stolen), now.Add(-60*time.Hour), now))(t)
	if u.Requests != 12 || u.Tokens != 12*1005 || u.MicroUSD < 120_000 || !u.CostKnown || u.FirstAbuse.IsZero() || u.Incomplete != "" {
		t.Errorf("%d requests, %d tokens, %d millionths, first %v, %q", u.Requests, u.Tokens, u.MicroUSD, u.FirstAbuse, u.Incomplete)
	}
	if r := u.Rows[0]; r.Address != "127.0.0.1" || r.Agent == "" || r.Model != "gpt-5" || r.Method != "acompletion" {
		t.Errorf("%+v", r)
	}
	if len(u.NewAddresses) != 1 || u.NewAddresses[0] != "127.0.0.1" || len(u.Raw) < 3 {
		t.Errorf("addresses %v, %d days of evidence", u.NewAddresses, len(u.Raw))
	}
}

func TestADayThatIsTooLargeIsSummedUpByTheProxy(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("summarize") == "true" {
			_, _ = rw.Write([]byte(`[{"startTime":"2026-11-20","spend":12.5}]`))
			return
		}
		line := []byte(`{"call_type":"` + strings.Repeat("x", 1<<20) + `"},`)
		_, _ = rw.Write([]byte("["))
		for range 20 {
			if _, err := rw.Write(line); err != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	p := must(open(srv.URL, "sk-"+"master"))(t)
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	u := must(p.Usage(t.Context(), incident.Key{ID: "ab"}, day, day.Add(time.Hour)))(t)
	if u.MicroUSD != 12_500_000 || u.Incomplete == "" || u.Requests != 0 {
		t.Errorf("%d millionths, %d requests, %q", u.MicroUSD, u.Requests, u.Incomplete)
	}
}

func TestHintsMayFitSeveralKeysAndManyKeysAreRead(t *testing.T) {
	t.Parallel()
	h := build(t)
	since := time.Now()
	for n := range 230 {
		h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: fmt.Sprint(n), Value: fmt.Sprintf("sk-made-up-%05d-%s", n, map[bool]string{true: "zzzz", false: "yyyy"}[n%100 == 7])})
	}
	found := must(h.Identify(t.Context(), incident.Clue{Hint: "sk-…zzzz"}, nil))(t)
	if len(found) != 3 {
		t.Errorf("%d keys fit", len(found))
	}
	traces, raw, err := h.Persistence(t.Context(), found[0], since)
	if err != nil || len(traces) != 229 || len(raw) != 3 || traces[0].Kind != "key_created" {
		t.Errorf("%d traces, %d answers, %v", len(traces), len(raw), err)
	}
	if all := must(h.List(t.Context()))(t); len(all) != 230 {
		t.Errorf("%d keys are listed", len(all))
	}
}
