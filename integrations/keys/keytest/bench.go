package keytest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Must ends the test on an error.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Secret is a key of a world.
type Secret interface{ Secret() string }

// Call words one model call with the value of a key.
type Call func(ctx context.Context, base, secret string, tokens int) (*http.Request, error)

// Bench is a provider that is pointed at a pretended service.
type Bench[P keys.Provider] struct {
	Provider P
	URL      string
	call     Call
	seen     *requests
}

type requests struct {
	mu   sync.Mutex
	list []string
}

// Open serves a pretended service and opens the provider in front of it.
func Open[P keys.Provider](t testing.TB, service http.Handler, call Call, open func(url string) (P, error)) Bench[P] {
	t.Helper()
	seen := &requests{}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen.mu.Lock()
		seen.list = append(seen.list, r.Method+" "+r.URL.Path)
		seen.mu.Unlock()
		service.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	return Bench[P]{Must(open(srv.URL))(t), srv.URL, call, seen}
}

// Seen are the requests since Forget, as "GET /keys".
func (b Bench[P]) Seen() []string {
	b.seen.mu.Lock()
	defer b.seen.mu.Unlock()
	return slices.Clone(b.seen.list)
}

// Forget starts counting requests anew.
func (b Bench[P]) Forget() {
	b.seen.mu.Lock()
	defer b.seen.mu.Unlock()
	b.seen.list = nil
}

// Find identifies a key by its value.
func (b Bench[P]) Find(t testing.TB, k Secret, id string) incident.Key {
	t.Helper()
	found := Must(b.Provider.Identify(t.Context(), incident.Clue{}, []byte(k.Secret())))(t)
	if len(found) != 1 || found[0].ID != id {
		t.Fatalf("found %+v", found)
	}
	return found[0]
}

// Spend makes one model call and compares the answer.
func (b Bench[P]) Spend(t testing.TB, secret string, want int) {
	t.Helper()
	res := Must(http.DefaultClient.Do(Must(b.call(t.Context(), b.URL, secret, 1000))(t)))(t) //nolint:bodyclose // it is closed in the next line; the linter does not see through Must
	_ = res.Body.Close()
	if res.StatusCode != want {
		t.Fatalf("a model call was answered %d, not %d", res.StatusCode, want)
	}
}

// Tries tries a value and compares what the probe says.
func (b Bench[P]) Tries(t testing.TB, secret, want string) {
	t.Helper()
	if got := Must(b.Provider.Probe(t.Context(), incident.Key{}, []byte(secret)))(t); got.State != want {
		t.Fatalf("%+v", got)
	}
}
