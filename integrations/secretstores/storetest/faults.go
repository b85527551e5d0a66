package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Client is a store as the fault matrix needs it.
type Client struct {
	Open      func(t *testing.T, url string) secretstores.Store
	Dependent incident.Dependent
	Undo      string // a record that the store would have made; empty where it makes none
	Never     []string
	// Body is how the service words a refusal that quotes text; one that fits most when nil.
	Body func(status int, text string) string
	Asks bool // Ready asks the service
	// Quotes says that errors carry the service's own short message: GitHub's never repeats a value.
	Quotes bool
	// Gone says that 404 is an answer here: the secret was never written.
	Gone bool
}

// fault is one way to fail. retry tells the class: whether asking again can help.
type fault struct {
	name   string
	answer http.HandlerFunc
	retry  bool
	either bool // both classes are right
}

// mostSent bounds what a client reads of an endless answer: its own limit and what the network keeps on the way.
const mostSent = 64 << 20

func matrix(c Client, elsewhere string, sent *atomic.Int64) []fault {
	if c.Body == nil {
		c.Body = func(status int, text string) string {
			return fmt.Sprintf(`{"message":%q,"errors":[%q],"error":{"code":%d,"message":%q}}`, text, text, status, text)
		}
	}
	var out []fault
	for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504} {
		out = append(out, fault{name: fmt.Sprint(status), retry: status == 429 || status >= 500, answer: func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(status)
			_, _ = rw.Write([]byte(c.Body(status, echoed)))
		}})
	}
	page := func(kind, body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", kind)
			_, _ = rw.Write([]byte(body))
		}
	}
	return append(out,
		fault{name: "429 with Retry-After", retry: true, answer: func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		}},
		fault{name: "200 with a page", retry: true, answer: page("text/html", "<html>"+echoed+"</html>")},
		fault{name: "200 with another type", retry: true, answer: page("text/plain", echoed)},
		fault{name: "200 with an error inside", retry: true, either: true, answer: page("application/json", `{"error":"`+echoed+`","message":"`+echoed+`"}`)},
		fault{name: "cut body", retry: true, answer: func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			rw.Header().Set("Content-Length", "1000")
			_, _ = rw.Write([]byte(`{"name":"` + echoed))
		}},
		fault{name: "lost answer", retry: true, answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		fault{name: "silence", retry: true, answer: func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // before that, a server does not notice that its client has gone
			<-r.Context().Done()
		}},
		fault{name: "redirect to another host", either: true, answer: func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
		}},
		fault{name: "endless body", retry: true, either: true, answer: func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(`{"name":"`))
			chunk := []byte(strings.Repeat("x", 64<<10))
			for sent.Load() < mostSent && r.Context().Err() == nil {
				n, err := rw.Write(chunk)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		}},
	)
}

// echoed is what a hostile service puts into its answers; a real one quotes what it was sent.
const echoed = "sandbox-echo-of-what-was-sent"

// Faults tries every call of a store against every way to fail.
func Faults(t *testing.T, c Client) {
	t.Helper()
	strangers := &atomic.Int64{}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for call, do := range calls(c) {
		sent := &atomic.Int64{}
		for _, f := range matrix(c, elsewhere.URL, sent) {
			t.Run(call+"/"+f.name, func(t *testing.T) {
				sent.Store(0)
				srv := httptest.NewServer(f.answer)
				defer srv.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if f.name == "silence" {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				secret := Value(t)
				err := do(ctx, c.Open(t, srv.URL), secret)
				judge(t, c, f, err, append([]string{secret, srv.URL, strings.TrimPrefix(srv.URL, "http://")}, c.Never...))
				if sent.Load() >= mostSent {
					t.Error("an endless answer was read on and on")
				}
			})
		}
	}
	if strangers.Load() != 0 {
		t.Errorf("%d calls went where a redirect sent them", strangers.Load())
	}
}

func judge(t *testing.T, c Client, f fault, err error, never []string) {
	t.Helper()
	if err == nil {
		if f.name != "404" || !c.Gone {
			t.Error("no error")
		}
		return
	}
	if !f.either && keys.IsPermanent(err) == f.retry {
		t.Errorf("a retry can help is %v, but the class says otherwise: %v", f.retry, err)
	}
	if f.name == "silence" && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the end of the context is lost: %v", err)
	}
	if !c.Quotes {
		never = append(never, echoed)
	}
	for _, s := range append(never, "http://") {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error shows what it must not: %v", err)
		}
	}
}

func calls(c Client) map[string]func(context.Context, secretstores.Store, string) error {
	over := map[string]string{"version": "7"}
	out := map[string]func(context.Context, secretstores.Store, string) error{
		"state": func(ctx context.Context, s secretstores.Store, _ string) error {
			_, err := s.State(ctx, c.Dependent)
			return err
		},
		"update": func(ctx context.Context, s secretstores.Store, v string) error {
			_, err := s.Update(ctx, c.Dependent, secretstores.Change{Value: []byte(v), Over: over, Token: "call-0123456789abcdef"})
			return err
		},
		"holds": func(ctx context.Context, s secretstores.Store, v string) error {
			h, err := s.Holds(ctx, c.Dependent, []byte(v))
			if err == nil && h.Healthy {
				return errors.New("healthy without an answer")
			}
			return err
		},
	}
	if c.Asks {
		out["ready"] = func(ctx context.Context, s secretstores.Store, _ string) error { return s.Ready(ctx) }
	}
	if c.Undo != "" {
		out["restore"] = func(ctx context.Context, s secretstores.Store, v string) error {
			_, err := s.Restore(ctx, c.Dependent, []byte(c.Undo), []byte(v), secretstores.Change{Over: over})
			return err
		}
	}
	return out
}
