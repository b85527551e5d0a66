package front

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	beat      = 50 * time.Millisecond // between two looks at /readyz
	patience  = 10 * time.Second      // while nobody is ready
	bodyLimit = 8 << 20
)

// Front sends each request to a process that says it is ready.
type Front struct {
	Address string
	Failed  atomic.Int64 // requests that nobody answered

	next   atomic.Int64
	server *http.Server
	stop   context.CancelFunc
	way    *http.Transport

	mu      sync.Mutex
	targets []string
	well    map[string]bool // who says that it is ready
}

// Open listens on a loopback port. Close it.
func Open() (*Front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no loopback port is free: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &Front{Address: l.Addr().String(), stop: stop, well: map[string]bool{}, way: &http.Transport{DisableKeepAlives: true}}
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(l) }() // ends with Close
	go f.watch(ctx)
	return f, nil
}

// Close ends it, and every connection.
func (f *Front) Close() {
	f.stop()
	_ = f.server.Close() // nothing of a test is worth waiting for
}

// Add puts one more process behind the address.
func (f *Front) Add(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets = append(f.targets, address)
}

// Targets are the addresses behind it, ready or not.
func (f *Front) Targets() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.targets...)
}

// watch asks every process again and again whether it is ready, as load balancers do.
func (f *Front) watch(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, at := range f.Targets() {
			f.mark(at, f.ready(ctx, at))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (f *Front) ready(ctx context.Context, at string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := f.way.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (f *Front) mark(at string, well bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.well[at] = well
}

// ServeHTTP sends the request on. A process that does not take the connection has not seen it, so another one gets it; one that
// breaks off may have, and the caller hears of it.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	res, err := f.find(r, body)
	if err != nil {
		f.Failed.Add(1)
		http.Error(w, "nobody answered", http.StatusBadGateway)
		return
	}
	defer func() { _ = res.Body.Close() }()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body) // who has gone hears nothing
}

func (f *Front) find(r *http.Request, body []byte) (*http.Response, error) {
	for until := time.Now().Add(patience); time.Now().Before(until); {
		target := f.pick()
		if target == "" { // all are between two lives
			select {
			case <-time.After(beat / 2):
				continue
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		res, err := f.forward(r, target, body)
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			f.mark(target, false)
			continue
		}
		return res, err
	}
	return nil, fmt.Errorf("nobody was ready for %s", patience)
}

// pick is the next process that is ready, or none.
func (f *Front) pick() string {
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

func (f *Front) forward(r *http.Request, target string, body []byte) (*http.Response, error) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	return f.way.RoundTrip(out)
}
