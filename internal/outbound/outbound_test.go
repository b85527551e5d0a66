package outbound_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

func guard(t *testing.T, hosts, private []string) outbound.Guard {
	t.Helper()
	g, err := outbound.NewGuard(hosts, private)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNoSpecialAddressIsPublic(t *testing.T) {
	t.Parallel()
	g := guard(t, nil, nil)
	for _, a := range []string{
		"127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "0.1.2.3", "100.64.0.1",
		"192.0.0.170", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
		"::127.0.0.1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1",
	} {
		if err := g.Address(netip.MustParseAddr(a)); !errors.Is(err, outbound.ErrRefused) {
			t.Errorf("%s was allowed: %v", a, err)
		}
	}
	for _, a := range []string{"8.8.8.8", "93.184.216.34", "2606:4700::1111", "172.15.0.1", "100.128.0.1"} {
		if err := g.Address(netip.MustParseAddr(a)); err != nil {
			t.Errorf("%s was refused: %v", a, err)
		}
	}
}

func TestOnlyTheNamedPrivateNetworkIsReached(t *testing.T) {
	t.Parallel()
	g := guard(t, nil, []string{"10.20.0.0/16", "fd00::7"})
	for a, allowed := range map[string]bool{"10.20.3.4": true, "::ffff:10.20.3.4": true, "10.21.0.1": false, "fd00::7": true, "fd00::8": false, "127.0.0.1": false} {
		if err := g.Address(netip.MustParseAddr(a)); (err == nil) != allowed {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func TestHostsAndFormsOfAddresses(t *testing.T) {
	t.Parallel()
	g := guard(t, []string{"api.example.com", "*.example.org"}, nil)
	for u, allowed := range map[string]bool{
		"https://api.example.com/x": true, "https://API.example.com.": true, "http://a.b.example.org:8080/": true,
		"https://example.org/": false, "https://xexample.org/": false, "https://api.example.com.evil.example/": false,
		"ftp://api.example.com/": false, "https://user:pw@api.example.com/": false, "https:///x": false, "gopher://x": false, "\x00": false,
	} {
		if _, err := g.URL(u); (err == nil) != allowed {
			t.Errorf("%q: %v", u, err)
		}
	}
	for _, bad := range []string{"", "*", "*.", "https://x", "a b", "x:1"} {
		if _, err := outbound.NewGuard([]string{bad}, nil); err == nil {
			t.Errorf("the host %q was taken", bad)
		}
	}
	if _, err := outbound.NewGuard(nil, []string{"10.0.0.0/99"}); err == nil {
		t.Error("a network that is none was taken")
	}
}

func TestTheDialerLooksAfterNameResolution(t *testing.T) {
	t.Parallel()
	called := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer srv.Close()
	byName := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	for _, u := range []string{srv.URL, byName} {
		_, err := guard(t, nil, nil).Client(time.Second).Get(u)
		if !errors.Is(err, outbound.ErrRefused) {
			t.Errorf("%s: %v", u, err)
		}
	}
	if called {
		t.Fatal("the loopback address was called")
	}
	res, err := guard(t, nil, []string{"127.0.0.0/8", "::1"}).Client(time.Second).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func TestNoRedirectIsFollowedAndNoAnswerIsEndless(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/move" {
			http.Redirect(rw, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
			return
		}
		for range 100 {
			if _, err := rw.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	c := outbound.Client(outbound.Options{MaxAnswer: 100_000})
	res, err := c.Get(srv.URL + "/move")
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("%v %v", res, err)
	}
	_ = res.Body.Close()
	res, err = c.Get(srv.URL + "/much")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, err := io.ReadAll(res.Body); err != nil || len(body) != 100_000 {
		t.Errorf("%d bytes were read: %v", len(body), err)
	}
}

func TestAReasonNeverCarriesTheAddress(t *testing.T) {
	t.Parallel()
	_, err := outbound.Client(outbound.Options{Timeout: time.Second}).Get("http://127.0.0.1:1/?token=hidden-in-the-query")
	if err == nil || strings.Contains(outbound.Reason(err).Error(), "hidden") {
		t.Errorf("%v", outbound.Reason(err))
	}
}
