package azureopenai_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// fixed is a token that never ends.
type fixed string

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// house is one world with a provider that looks into it.
type house struct {
	world    *sandbox.World
	provider *azureopenai.Provider
	stolen   sandbox.Key
	url      string
	seen     *requests
}

// requests remembers what was asked.
type requests struct {
	next http.Handler
	mu   sync.Mutex
	list []string
}

func (s *requests) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.list = append(s.list, r.Method+" "+r.URL.Path+" "+string(body))
	s.mu.Unlock()
	s.next.ServeHTTP(rw, r)
}

// count is how many requests hold text.
func (s *requests) count(text string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if strings.Contains(one, text) {
			n++
		}
	}
	return n
}

func build(t *testing.T, change ...func(*azureopenai.Config)) house {
	t.Helper()
	return in(t, sandbox.NewWorld(sandbox.Options{AzureDelay: -1, RevocationDelay: -1}), change...)
}

func in(t *testing.T, w *sandbox.World, change ...func(*azureopenai.Config)) house {
	t.Helper()
	seen := &requests{next: w.Azure()}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	cfg := azureopenai.Config{
		Account: "prod", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
		Credential: fixed(w.AdminToken()), ARM: server.URL, Inference: server.URL, HTTPClient: server.Client(),
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := azureopenai.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return house{w, p, w.NewAzureKey(), server.URL, seen}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// find identifies the stolen key by its value.
func (h house) find(t *testing.T) incident.Key {
	t.Helper()
	found := must[[]incident.Key](t)(h.provider.Identify(within(t), incident.Clue{}, []byte(h.stolen.Secret())))
	if len(found) != 1 {
		t.Fatalf("%d keys were found", len(found))
	}
	return found[0]
}

// probe tries a value and compares the answer.
func (h house) probe(t *testing.T, secret, want string) {
	t.Helper()
	got := must[keys.Probed](t)(h.provider.Probe(within(t), incident.Key{}, []byte(secret)))
	if got.State != want {
		t.Fatalf("the probe says %q (%s), not %q", got.State, got.Detail, want)
	}
}

// spend is one model call of a thief.
func (h house) spend(t *testing.T, secret string) int {
	t.Helper()
	r := must[*http.Request](t)(sandbox.AzureCall(within(t), h.url, secret, 1000))
	r.Header.Set(sandbox.ActorHeader, sandbox.ActorAttacker)
	res := must[*http.Response](t)(http.DefaultClient.Do(r))
	_ = res.Body.Close()
	return res.StatusCode
}

// noSecret fails when text holds twelve characters in a row of the value.
func noSecret(t *testing.T, value, text string) {
	t.Helper()
	for i := 0; i+12 <= len(value); i++ {
		if strings.Contains(text, value[i:i+12]) {
			t.Fatalf("a part of the key's value is in %q", strings.ReplaceAll(text, value[i:i+12], "<value>"))
		}
	}
}
