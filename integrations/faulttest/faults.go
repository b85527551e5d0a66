package faulttest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Echo is what a hostile service puts into its answers. A client may show what a refusal says of a call, but what is no
// refusal of this service's it may not.
const Echo = "echo-of-what-was-sent"

// fault is one way to fail.
type fault struct {
	name   string
	answer http.HandlerFunc
	retry  bool          // asking again can help
	either bool          // both classes are right
	ends   bool          // the call is ended by its context
	quoted bool          // the service's own words may be shown
	ours   bool          // it is the client that goes no further
	wait   time.Duration // how long the caller waits
}

// mostSent is more than any client reads of an endless answer: its own limit and what the network keeps on the way.
const mostSent = 64 << 20

func (f fault) handler(t *testing.T) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if f.name != Endless {
			f.answer(rw, r)
			return
		}
		sent := 0
		block := []byte(strings.Repeat("x", 256<<10))
		for sent < mostSent {
			n, err := rw.Write(block)
			if sent += n; err != nil {
				return
			}
		}
		t.Errorf("an endless answer was read beyond %d bytes", mostSent)
	})
}

// Endless is the fault of an answer that never ends.
const Endless = "endless body"

// faults are all ways to fail.
func faults(c Client, elsewhere string) []fault {
	if c.Body == nil {
		c.Body = func(status int, text string) string {
			return fmt.Sprintf(`{"message":%q,"error":{"code":%d,"message":%q}}`, text, status, text)
		}
	}
	kind := c.Type
	if kind == "" {
		kind = "application/json"
	}
	var out []fault
	for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504} {
		out = append(out, fault{
			name: strconv.Itoa(status), retry: status == 409 || status == 429 || status >= 500, either: status == 409, quoted: true,
			answer: say(status, kind, c.Body(status, Echo), nil),
		})
	}
	out = append(out,
		fault{name: "429 with Retry-After", retry: true, quoted: true, answer: say(429, kind, c.Body(429, Echo), map[string]string{"Retry-After": "3600"})},
		fault{name: "503 with Retry-After", retry: true, quoted: true, answer: say(503, kind, c.Body(503, Echo), map[string]string{"Retry-After": "3600"})},
		fault{name: "a proxy's page", retry: true, answer: say(200, "text/html", "<html>"+Echo+"</html>", nil)},
		fault{name: "another type", retry: true, answer: say(200, "text/plain", Echo, nil)},
		fault{name: "200 with an error inside", either: true, quoted: true, answer: say(200, kind, c.Body(500, Echo), nil)},
		fault{name: "cut body", retry: true, answer: say(200, kind, `{"data":[{"`, map[string]string{"Content-Length": "1000"})},
		fault{name: "no answer", retry: true, answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		fault{name: "silence", retry: true, ends: true, wait: 100 * time.Millisecond, answer: silent},
		fault{name: "redirect to another host", ours: true, answer: func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
		}},
		fault{name: Endless, either: true, ours: true},
	)
	for i := range out {
		if out[i].wait == 0 {
			out[i].wait = Patience
		}
	}
	return out
}

func say(status int, kind, body string, header map[string]string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", kind)
		for name, value := range header {
			rw.Header().Set(name, value)
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // before that, a server does not notice that its client has gone
	<-r.Context().Done()
}

// stranger is the host that redirects point to.
type stranger struct {
	url   string
	calls *atomic.Int64
}

func newStranger(t *testing.T) stranger {
	s := stranger{calls: &atomic.Int64{}}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.calls.Add(1) }))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}
