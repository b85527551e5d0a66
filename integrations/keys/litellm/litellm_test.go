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
	"github.com/tourniquet-ir/tourniquet/integrations/keys/keytest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// house is a world with the service in it, and a provider that is pointed there.
type house struct {
	*litellm.Provider
	keytest.Bench[*litellm.Provider]
	world *sandbox.World
}

func build(t *testing.T) house {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1})
	b := keytest.Open(t, w.LiteLLM(), keytest.Call(sandbox.OpenAICall), func(url string) (*litellm.Provider, error) { return open(url, w.AdminToken()) })
	return house{b.Provider, b, w}
}

func open(url, master string) (*litellm.Provider, error) {
	return litellm.New(litellm.Config{Account: "proxy", MasterKey: master, BaseURL: url})
}

func (h house) find(t *testing.T, k sandbox.Key) incident.Key {
	t.Helper()
	return h.Find(t, k, k.ID)
}

func TestAKeyIsBlockedUnblockedReplacedAndDeleted(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop", Models: []string{"gpt-5"}, RPM: 60})
	key := h.find(t, stolen)
	before := keytest.Must(h.State(t.Context(), keys.OpContain, key))(t)
	if before.Done || before.Fields["blocked"] != "false" {
		t.Fatalf("%+v", before)
	}
	h.Spend(t, stolen.Secret(), http.StatusOK)
	h.Forget()
	receipt := keytest.Must(h.Contain(t.Context(), key))(t)
	if receipt.After["blocked"] != "true" || receipt.RequestID == "" || len(h.Seen()) != 1 {
		t.Fatalf("%+v after %v", receipt, h.Seen())
	}
	keytest.Must(h.Contain(t.Context(), key))(t) // a repeat has the same effect
	h.Spend(t, stolen.Secret(), http.StatusUnauthorized)
	h.Tries(t, stolen.Secret(), keys.ProbeRefused)
	keytest.Must(h.Restore(t.Context(), key, before.Undo))(t)
	h.Spend(t, stolen.Secret(), http.StatusOK)
	h.Tries(t, stolen.Secret(), keys.ProbeWorking)

	made := keytest.Must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	h.Spend(t, string(made.Secret), http.StatusOK)
	if again := h.find(t, stolen); made.Key.ID == again.ID || made.Key.Name != "shop (tourniquet-1)" {
		t.Errorf("%+v", made.Key)
	}
	if left := keytest.Must(h.Orphans(t.Context(), key, "tourniquet-1"))(t); len(left) != 1 || left[0].ID != made.Key.ID || left[0].Hint != made.Key.Hint {
		t.Errorf("orphans: %+v, made %+v", left, made.Key)
	}
	for n := range 2 {
		got := keytest.Must(h.Revoke(t.Context(), key))(t)
		if already := strings.Contains(got.Summary, "already"); already != (n == 1) {
			t.Errorf("revocation %d: %q", n+1, got.Summary)
		}
	}
	h.Tries(t, stolen.Secret(), keys.ProbeRefused)
	if st := keytest.Must(h.State(t.Context(), keys.OpRevoke, key))(t); !st.Done {
		t.Errorf("%+v", st)
	}
	if _, err := h.Create(t.Context(), key, "tourniquet-2"); !keys.IsPermanent(err) {
		t.Errorf("a key like one that is gone: %v", err)
	}
}

func TestTheNewKeyHasTheLimitsOfTheOldOne(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.find(t, h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop", Models: []string{"gpt-5"}, RPM: 60}))
	made := keytest.Must(h.Create(t.Context(), key, "tourniquet-1"))(t)
	r := keytest.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/key/info?key="+made.Key.ID, nil))(t)
	r.Header.Set("Authorization", "Bearer "+h.world.AdminToken())
	res := keytest.Must(http.DefaultClient.Do(r))(t)
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
	p := keytest.Must(open(srv.URL, "sk-"+"master"))(t)
	if got, err := p.Revoke(t.Context(), incident.Key{ID: id}); err == nil || !strings.Contains(err.Error(), "still there") {
		t.Errorf("%+v %v", got, err)
	}
}

func TestUsageIsEveryCallWithAddressAgentAndDollars(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen, other := h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop"}), h.world.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "other"})
	for range 12 {
		h.Spend(t, stolen.Secret(), http.StatusOK)
	}
	h.Spend(t, other.Secret(), http.StatusOK)
	now := time.Now()
	u := keytest.Must(h.Usage(t.Context(), h.find(t, stolen), now.Add(-60*time.Hour), now))(t)
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
	p := keytest.Must(open(srv.URL, "sk-"+"master"))(t)
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	u := keytest.Must(p.Usage(t.Context(), incident.Key{ID: "ab"}, day, day.Add(time.Hour)))(t)
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
	found := keytest.Must(h.Identify(t.Context(), incident.Clue{Hint: "sk-…zzzz"}, nil))(t)
	if len(found) != 3 {
		t.Errorf("%d keys fit", len(found))
	}
	traces, raw, err := h.Persistence(t.Context(), found[0], since)
	if err != nil || len(traces) != 229 || len(raw) != 3 || traces[0].Kind != "key_created" {
		t.Errorf("%d traces, %d answers, %v", len(traces), len(raw), err)
	}
	if all := keytest.Must(h.List(t.Context()))(t); len(all) != 230 {
		t.Errorf("%d keys are listed", len(all))
	}
}
