package outbound

import (
	"io"
	"net/http"
	"time"
)

// Defaults of a client.
const (
	DefaultTimeout = 15 * time.Second
	DefaultAnswer  = 8 << 20 // bytes
)

// Options of a client. The zero value is good.
type Options struct {
	Timeout   time.Duration     // for a whole call
	MaxAnswer int64             // bytes of an answer that are read; the rest is cut off
	Transport http.RoundTripper // http.DefaultTransport when nil
}

// Client calls one service: bounded in time and answer, and never sent elsewhere by a redirect, which would carry
// credentials to a host that nobody configured.
func Client(o Options) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	return &http.Client{Timeout: o.Timeout, Transport: Bounded(o.Transport, o.MaxAnswer), CheckRedirect: stay}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Bounded cuts answers after limit bytes, DefaultAnswer when zero.
func Bounded(next http.RoundTripper, limit int64) http.RoundTripper {
	if limit == 0 {
		limit = DefaultAnswer
	}
	return bounded{next, limit}
}

type bounded struct {
	next  http.RoundTripper
	limit int64
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, b.limit), res.Body}
	return res, nil
}
