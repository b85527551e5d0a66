package faulttest

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// Client is a client as the matrix needs it.
type Client struct {
	Name string
	// Calls are everything that the client asks of the service at url.
	Calls func(t *testing.T, url string) map[string]func(context.Context) error
	// Body is how the service words a refusal that quotes text; one that fits most when nil.
	Body func(status int, text string) string
	// Fine names faults that are an answer to a call, as "revoke/404": what is to be gone is gone. "*" stands for all calls.
	Fine []string
	// Either names calls whose class is theirs to choose, as "probe/*".
	Either  []string
	Never   []string             // values that no error may hold
	Mute    bool                 // errors never carry the service's own words, because those may quote what was sent
	Lasting func(err error) bool // whether asking again is pointless; keys.IsPermanent when nil
	Type    string               // content type of a good answer; application/json when empty
}

// Classes of an error, as the table shows them.
const (
	Retry  = "retry"  // asking again can help
	Ask    = "ask"    // it cannot: a person is asked
	Done   = "done"   // the fault is an answer: what is to be gone is gone
	Refuse = "refuse" // the client itself goes no further: it follows no redirect and reads no endless answer
	Strays = "LEAKED" // what must not be
)

// Result is one cell of the table.
type Result struct{ Client, Call, Fault, Class string }

// Patience is how long a call may take against any fault.
const Patience = 20 * time.Second

// Run tries every call against every fault and returns what came of it.
func Run(t *testing.T, c Client) []Result {
	t.Helper()
	if c.Lasting == nil {
		c.Lasting = keys.IsPermanent
	}
	strangers := newStranger(t)
	var mu sync.Mutex
	var out []Result
	t.Run(c.Name, func(t *testing.T) {
		for _, f := range faults(c, strangers.url) {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				var calls sync.WaitGroup
				for call := range c.Calls(t, "http://127.0.0.1:1") {
					calls.Go(func() { // they mostly wait, so they wait together
						r := Result{c.Name, call, f.name, try(t, c, call, f)}
						mu.Lock()
						defer mu.Unlock()
						out = append(out, r)
					})
				}
				calls.Wait()
			})
		}
	})
	if n := strangers.calls.Load(); n > 0 {
		t.Errorf("%s followed a redirect to another host %d times", c.Name, n)
	}
	slices.SortFunc(out, func(a, b Result) int { return strings.Compare(a.Call+"\x00"+a.Fault, b.Call+"\x00"+b.Fault) })
	return out
}

// try makes one call against one fault and judges the error.
func try(t *testing.T, c Client, call string, f fault) string {
	srv := httptest.NewServer(f.handler(t))
	defer srv.Close()
	defer srv.CloseClientConnections()
	ctx, cancel := context.WithTimeout(t.Context(), f.wait)
	defer cancel()
	began := time.Now()
	err := c.Calls(t, srv.URL)[call](ctx)
	if took := time.Since(began); took > f.wait+5*time.Second {
		t.Errorf("%s took %s", call, took)
	}
	if err == nil {
		if !c.is(c.Fine, call, f.name) {
			t.Errorf("%s: the fault was taken for success", call)
		}
		return Done
	}
	for _, never := range append([]string{Echo, srv.URL, strings.TrimPrefix(srv.URL, "http://")}, c.Never...) {
		if strings.Contains(err.Error(), never) && (never != Echo || !f.quoted || c.Mute) {
			t.Errorf("%s: the error holds %q: %v", call, never, err)
			return Strays
		}
	}
	lasting := c.Lasting(err)
	switch {
	case f.either || c.is(c.Either, call, f.name):
	case f.ends && !errors.Is(err, context.DeadlineExceeded) && lasting:
		t.Errorf("%s: a service that is silent is no reason to give up: %v", call, err)
	case lasting == f.retry:
		t.Errorf("%s: asking again is pointless is %v for: %v", call, lasting, err)
	}
	switch {
	case lasting && f.ours:
		return Refuse
	case lasting:
		return Ask
	}
	return Retry
}

func (c Client) is(list []string, call, name string) bool {
	for _, one := range list {
		at, what, _ := strings.Cut(one, "/")
		if (at == "*" || at == call) && (what == "*" || what == name) {
			return true
		}
	}
	return false
}
