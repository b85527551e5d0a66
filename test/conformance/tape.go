package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// exchange is one request of a client with the sandbox's answer.
type exchange struct {
	client  string // whose client it is, as "openai"
	service string // what answered, as "apikeys"
	action  string // why it was called, as "key.contain"
	looks   bool   // it was made to see what the call would change
	request *http.Request
	body    []byte
	status  int
	header  http.Header
	answer  []byte
}

// tape records what a client and the sandbox say to each other.
type tape struct {
	client string

	mu     sync.Mutex
	action string
	looks  bool
	suffix string // what kind of key it is, where a client has several
	list   []exchange
	close  []func()
}

// do runs one action: everything that is sent meanwhile is sent for it.
func (t *tape) do(action string, f func() error) error { return t.label(action, false, f) }

// look is what an action reads before it changes anything.
func (t *tape) look(action string, f func() error) error { return t.label(action, true, f) }

func (t *tape) label(action string, looks bool, f func() error) error {
	t.mu.Lock()
	t.action, t.looks = action+t.suffix, looks
	t.mu.Unlock()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %s: %w", t.client, action, err)
	}
	return nil
}

// serve puts a service of the sandbox on a loopback address, with the recorder before it.
func (t *tape) serve(service string, h http.Handler) string {
	s := httptest.NewServer(t.before(service, h))
	t.close = append(t.close, s.Close)
	return s.URL
}

func (t *tape) before(service string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		sent := r.Clone(context.WithoutCancel(r.Context()))
		r.Body = io.NopCloser(bytes.NewReader(body))
		seen := httptest.NewRecorder()
		h.ServeHTTP(seen, r)
		t.add(service, sent, body, seen.Code, seen.Header(), seen.Body.Bytes())
		for name, values := range seen.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(seen.Code)
		_, _ = rw.Write(seen.Body.Bytes()) // a client that has gone needs no answer
	})
}

func (t *tape) add(service string, r *http.Request, body []byte, status int, header http.Header, answer []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, exchange{
		client: t.client, service: service, action: t.action, looks: t.looks, request: r, body: body,
		status: status, header: header.Clone(), answer: bytes.Clone(answer),
	})
}

// carrier records on the client's own side, where an answer may go on as a socket.
type carrier struct {
	t       *tape
	service string
}

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(answer))
	c.t.add(c.service, r, body, res.StatusCode, res.Header, answer)
	return res, err
}

func (t *tape) end() {
	for _, f := range t.close {
		f()
	}
}
