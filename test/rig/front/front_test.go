package front

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// behind is a process that is ready or not and says its name.
func behind(t *testing.T, name string, ready bool) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			if !ready {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, name+" "+r.Method+" "+string(body))
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), asked
}

func post(t *testing.T, f *Front, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+f.Address+"/v1/x", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestOnlyWhoIsReadyIsAskedAndEveryoneWhoIs(t *testing.T) {
	t.Parallel()
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	one, asked1 := behind(t, "one", true)
	two, asked2 := behind(t, "two", true)
	closing, askedClosing := behind(t, "closing", false)
	for _, at := range []string{one, two, closing, "127.0.0.1:1"} {
		f.Add(at)
	}
	for asked1.Load() == 0 || asked2.Load() == 0 {
		if status, text := post(t, f, "tap"); status != http.StatusOK || !strings.HasSuffix(text, " POST tap") {
			t.Fatalf("%d %q", status, text)
		}
	}
	if askedClosing.Load() > 0 || f.Failed.Load() > 0 {
		t.Errorf("who is closing was asked %d times, %d requests failed", askedClosing.Load(), f.Failed.Load())
	}
}

func TestWhoBreaksOffIsNotAskedTwice(t *testing.T) {
	t.Parallel()
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/x" {
			asked.Add(1)
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	f.Add(strings.TrimPrefix(srv.URL, "http://"))
	if status, _ := post(t, f, "tap"); status != http.StatusBadGateway || asked.Load() != 1 || f.Failed.Load() != 1 {
		t.Errorf("%d after %d tries", status, asked.Load())
	}
}
