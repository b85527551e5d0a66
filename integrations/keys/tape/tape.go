package tape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// Limit is the largest answer that is read.
const Limit = 16 << 20

// ErrStrange is wrapped by errors about answers that the service itself would not give: a proxy's page, a cut body.
var ErrStrange = errors.New("the answer is not one that this service gives")

// ErrLarge is wrapped beside it by errors about answers above the limit.
var ErrLarge = errors.New("it is too large")

// Transport reads every answer whole.
type Transport struct {
	Next  http.RoundTripper
	Judge func(*http.Response, []byte) error // nil takes everything; an error hides the answer from the client
}

// Tape collects answers. Its methods are safe for concurrent use.
type Tape struct {
	mu     sync.Mutex
	bodies [][]byte
}

type key struct{}

// Record has every answer to calls under the context kept on the tape.
func Record(ctx context.Context) (context.Context, *Tape) {
	t := &Tape{}
	return context.WithValue(ctx, key{}, t), t
}

// Evidence is what the tape holds, one file for each answer.
func (t *Tape) Evidence(name string) []keys.Raw {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []keys.Raw
	for i, body := range t.bodies {
		out = append(out, keys.Raw{Name: fmt.Sprintf("%s-%d.json", name, i+1), Body: body})
	}
	return out
}

// RoundTrip makes the call, reads the answer up to the limit and judges it.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, Limit+1))
	_ = res.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("%w: it broke off: %w", ErrStrange, err)
	}
	if len(body) > Limit {
		return nil, fmt.Errorf("%w: %w: more than %d bytes", ErrStrange, ErrLarge, Limit)
	}
	if t.Judge != nil {
		if err := t.Judge(res, body); err != nil {
			return nil, err
		}
	}
	if recorder, _ := r.Context().Value(key{}).(*Tape); recorder != nil {
		recorder.mu.Lock()
		recorder.bodies = append(recorder.bodies, body)
		recorder.mu.Unlock()
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return res, nil
}

// Client is an HTTP client above the transport that follows no redirect: a provider's API never moves by itself, and a
// credential must not be carried elsewhere.
func (t Transport) Client(timeout time.Duration) *http.Client {
	return &http.Client{Transport: t, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Next is the transport of c, or the default one.
func Next(c *http.Client) http.RoundTripper {
	if c != nil && c.Transport != nil {
		return c.Transport
	}
	return http.DefaultTransport
}
