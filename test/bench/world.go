package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const (
	project = "bench-project"
	// poolSize is how many keys take turns; far more than are ever under way, so that a key's run is over when its turn comes again.
	poolSize = 256
	// endMark is in the message that closes every run, of the product and of the bare workflow.
	endMark = "Run ended"
)

// world is the sandbox with its servers, and the watch on its log.
type world struct {
	*sandbox.World
	slack             *sandbox.Slack
	googleURL, slkURL string
	servers           []*http.Server
	keys              []string

	mu    sync.Mutex
	next  int
	open  map[string]*sample // by key id
	ended chan struct{}
	calls map[string]int
}

// sample is one alert under way.
type sample struct {
	sent  time.Time
	first time.Duration // 0 until the key was touched
}

func openWorld(keys int) (*world, error) {
	w := &world{World: sandbox.NewWorld(sandbox.Options{}), open: map[string]*sample{}, ended: make(chan struct{}, 4096), calls: map[string]int{}}
	w.slack = w.World.Slack()
	w.slack.AddPerson(sandbox.SlackPerson{ID: sandbox.UserAna, Name: "Ana"})
	for i := range keys {
		w.keys = append(w.keys, w.NewGeminiKey(sandbox.GeminiKey{Project: project, Name: fmt.Sprintf("bench %d", i)}).ID)
	}
	w.Subscribe(w.see)
	var err error
	if w.googleURL, err = w.listen(w.Google()); err == nil {
		w.slkURL, err = w.listen(w.endings(w.slack.Handler()))
	}
	return w, err
}

func (w *world) listen(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no loopback port is free: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	w.servers = append(w.servers, srv)
	go func() { _ = srv.Serve(l) }() // ends with close
	return "http://" + l.Addr().String(), nil
}

func (w *world) close() {
	for _, s := range w.servers {
		_ = s.Close() // nothing of a sandbox is worth waiting for
	}
}

// see follows the world log: the first obeyed request that changes a key ends the sample of its alert.
func (w *world) see(e sandbox.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := e.Service + " " + e.Method
	if e.Service == "slack" {
		name += " " + e.Path
	}
	w.calls[name]++
	if e.Effect != sandbox.EffectUndoable && e.Effect != sandbox.EffectFinal {
		return
	}
	if s := w.open[e.Key]; s != nil && s.first == 0 {
		s.first = max(e.T.Sub(s.sent.UTC().Round(0)), 1)
	}
}

// endings notices the message that closes a run.
func (w *world) endings(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(rw, "the body broke off", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(rw, r)
		if bytes.Contains(body, []byte(endMark)) || bytes.Contains(body, []byte("Run+ended")) {
			w.ended <- struct{}{}
		}
	})
}

// begin takes the next key and starts its clock.
func (w *world) begin() (key string, s *sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key = w.keys[w.next%len(w.keys)]
	w.next++
	s = &sample{sent: time.Now()}
	w.open[key] = s
	return key, s
}

func (w *world) latency(s *sample) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.first
}

// callsSoFar counts requests by service and method.
func (w *world) callsSoFar() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.calls)
}
