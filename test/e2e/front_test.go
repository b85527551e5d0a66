package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// front is what stands before the API processes: it sends each request to one that takes connections.
type front struct {
	address string
	next    atomic.Int64
	failed  atomic.Int64

	mu      sync.Mutex
	targets []string
	well    map[string]bool // who says that it is ready
}

// watchOver asks every process again and again whether it is ready, as load balancers do.
func (f *front) watchOver(ctx context.Context) {
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for ctx.Err() == nil {
		f.mu.Lock()
		targets := append([]string{}, f.targets...)
		f.mu.Unlock()
		for _, at := range targets {
			quick, cancel := context.WithTimeout(ctx, time.Second)
			req, err := http.NewRequestWithContext(quick, http.MethodGet, "/readyz", nil)
			well := false
			if err == nil {
				if res, err := f.forward(req, at, nil); err == nil {
					well = res.StatusCode == http.StatusOK
					_ = res.Body.Close()
				}
			}
			cancel()
			f.mu.Lock()
			f.well[at] = well
			f.mu.Unlock()
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
		}
	}
}

func newFront(t *testing.T) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{address: l.Addr().String(), well: map[string]bool{}}
	srv := &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	go f.watchOver(t.Context())
	t.Cleanup(func() { _ = srv.Close() })
	return f
}

func (f *front) add(name, address string) {
	if strings.HasPrefix(name, "api") {
		f.mu.Lock()
		f.targets = append(f.targets, address)
		f.mu.Unlock()
	}
}

// ServeHTTP sends the request on. A process that does not take the connection has not seen it, so another one gets it; one that
// breaks off has, and the caller hears of it.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	for range 500 {
		target := f.pick()
		if target == "" {
			<-time.After(tick) // all are between two lives
			continue
		}
		res, err := f.forward(r, target, body)
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			f.mu.Lock()
			f.well[target] = false
			f.mu.Unlock()
			continue
		}
		if err != nil {
			break
		}
		defer func() { _ = res.Body.Close() }()
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
		return
	}
	f.failed.Add(1)
	http.Error(w, "nobody answered", http.StatusBadGateway)
}

// pick is the next process that is ready, or none.
func (f *front) pick() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := int(f.next.Add(1))
	for i := range f.targets {
		if at := f.targets[(from+i)%len(f.targets)]; f.well[at] {
			return at
		}
	}
	return ""
}

func (f *front) forward(r *http.Request, target string, body []byte) (*http.Response, error) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header = r.Header.Clone()
	out.Host = r.Host
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(out)
}
