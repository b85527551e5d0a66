package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrRefused is wrapped by every refusal of a guard; asking again does not help.
var ErrRefused = errors.New("the configuration does not allow it")

// Guard says which addresses may be called. The zero Guard allows every public one.
type Guard struct {
	hosts   []string       // names, or "*.name" for everything below; empty: any
	private []netip.Prefix // networks that are not public and yet allowed
}

// NewGuard reads the lists of the configuration. A network is written as 10.20.0.0/16 or as one address.
func NewGuard(hosts, private []string) (Guard, error) {
	var g Guard
	for _, h := range hosts {
		bare := strings.TrimPrefix(h, "*.")
		if bare == "" || strings.ContainsAny(bare, "*/:@ ") {
			return Guard{}, fmt.Errorf("%q is not a host name, as api.example.com or *.example.com", h)
		}
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	for _, n := range private {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			a, aerr := netip.ParseAddr(n)
			if aerr != nil {
				return Guard{}, fmt.Errorf("%q is not a network, as 10.20.0.0/16, or an address", n)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		g.private = append(g.private, p.Masked())
	}
	return g, nil
}

// URL reads an address and refuses what is not plain http or https to an allowed host.
func (g Guard) URL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, fmt.Errorf("an address must be http or https, with a host and no password: %w", ErrRefused)
	}
	if !g.host(u.Hostname()) {
		return nil, fmt.Errorf("the host %q is not in outbound.hosts: %w", u.Hostname(), ErrRefused)
	}
	return u, nil
}

func (g Guard) host(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return len(g.hosts) == 0 || slices.ContainsFunc(g.hosts, func(h string) bool {
		below, wild := strings.CutPrefix(h, "*")
		return h == name || wild && strings.HasSuffix(name, below) && len(name) > len(below)
	})
}

// Address says why an address may not be called; nil when it may.
func (g Guard) Address(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	if !inside(a) || slices.ContainsFunc(g.private, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	return fmt.Errorf("it leads to an address that is not public; outbound.private_networks would have to name it: %w", ErrRefused)
}

// notPublic are the special networks that netip's own questions leave out. Some of the last ones carry an IPv4 address.
func notPublic() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func inside(a netip.Addr) bool {
	if !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
		return true
	}
	return slices.ContainsFunc(notPublic(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// Client calls what the guard allows. It uses no proxy: behind one we would not see where a call ends.
func (g Guard) Client(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("it leads to no address: %w", ErrRefused)
		}
		return g.Address(at.Addr())
	}}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: timeout,
		MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true,
	}
	return Client(Options{Timeout: timeout, MaxAnswer: 64 << 10, Transport: named{g, t}})
}

// named refuses hosts before anything is resolved.
type named struct {
	guard Guard
	next  http.RoundTripper
}

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := n.guard.URL(r.URL.String()); err != nil {
		return nil, err
	}
	return n.next.RoundTrip(r)
}

// Reason words why a call came to nothing without the address, which may carry a token in its query.
func Reason(err error) error {
	var outer *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &outer):
		return outer.Err
	}
	return err
}

// Answer is what a guarded look at an address saw.
type Answer struct {
	Host string
	Code int
}

// Status makes one GET and tells the status; what is wrong with an address that is not allowed is ErrRefused.
func (g Guard) Status(ctx context.Context, address string) (Answer, error) {
	u, err := g.URL(address)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Host: u.Host}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return a, fmt.Errorf("the address cannot be asked: %w", ErrRefused)
	}
	res, err := g.Client(10 * time.Second).Do(req)
	if err != nil {
		return a, Reason(err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body) // what it says does not count
	a.Code = res.StatusCode
	return a, nil
}
