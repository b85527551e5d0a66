package signals_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signals"
	"github.com/tourniquet-ir/tourniquet/internal/signals/signaltest"
)

type meter struct {
	mu   sync.Mutex
	seen []int
}

func (m *meter) ProviderCall(_, _ string, status int, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, status)
}

func TestARequestIsASpanOfItsAlertAndTellsNoSecret(t *testing.T) {
	t.Parallel()
	secret := rand.Text()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			t.Error("the provider is told of our trace")
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	to := signaltest.Start(t)
	tracing, err := signals.Open(t.Context(), signals.Options{Endpoint: to.Endpoint, Sample: 1, World: "drill"})
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{}
	client := &http.Client{Transport: signals.Transport{Provider: "gemini", Account: "prod", Meter: m, Tracing: tracing}}
	ctx, end := tracing.Begin(t.Context(), "al-1", time.Now().Add(-time.Second), "source", "github")
	inner, done := tracing.Start(ctx, "action key.probe", "run", "run-1", "step", "dead")
	for _, at := range []string{server.URL, "http://127.0.0.1:1"} {
		req, err := http.NewRequestWithContext(inner, http.MethodPost, at+"/keys/"+secret+"?key="+secret, bytes.NewBufferString(secret))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}
	done()
	end()
	if err := tracing.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(to.Raw(), []byte(secret)) {
		t.Error("a span holds the secret")
	}
	if !slices.Equal(m.seen, []int{403, 0}) {
		t.Errorf("measured: %v", m.seen)
	}
	sum := sha256.Sum256([]byte("tourniquet/trace/v1\x00al-1"))
	spans := to.Spans()
	if len(spans) != 4 {
		t.Fatalf("%d spans came: %+v", len(spans), spans)
	}
	for _, s := range spans {
		if s.Trace != hex.EncodeToString(sum[:16]) {
			t.Errorf("%s is in the trace %s", s.Name, s.Trace)
		}
		if s.Name == "provider request" {
			if got := to.Way(s); !slices.Equal(got, []string{"alert", "action key.probe", "provider request"}) || s.About["tourniquet.provider"] != "gemini" || s.About["http.request.method"] != "POST" {
				t.Errorf("the request lies at %q and says %v", got, s.About)
			}
		}
	}
}

func TestWithoutAReceiverNothingIsTracedAndRequestsAreMeasured(t *testing.T) {
	t.Parallel()
	tracing, err := signals.Open(t.Context(), signals.Options{})
	if err != nil || tracing != nil {
		t.Fatalf("%v, %v", tracing, err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	m := &meter{}
	ctx, end := tracing.Begin(t.Context(), "al-1", time.Now())
	ctx, done := tracing.Start(ctx, "x")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: signals.Transport{Meter: m, Tracing: tracing}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	done()
	end()
	if i, err := tracing.Interceptor(); i != nil || err != nil || !slices.Equal(m.seen, []int{404}) || tracing.Close(ctx) != nil {
		t.Errorf("interceptor %v, %v; measured %v", i, err, m.seen)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"collector:4317", "ftp://collector", "://", "https://"} {
		if _, err := signals.Open(t.Context(), signals.Options{Endpoint: at}); err == nil {
			t.Errorf("%q was taken", at)
		}
	}
}
