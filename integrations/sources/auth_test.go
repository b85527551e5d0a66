package sources_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

func sign(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = m.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func TestOnlyTheRightSignatureOverTheRawBodyIsTaken(t *testing.T) {
	t.Parallel()
	old, fresh := randomText(t), randomText(t)
	a, err := sources.HMAC(sources.SchemeOf("github"), []byte(old), []byte(fresh))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"a":1}`
	check := func(values ...string) error {
		return a.Check(context.Background(), sources.Request{Headers: http.Header{"X-Hub-Signature-256": values}, Body: []byte(body)})
	}
	for _, s := range []string{old, fresh} {
		if err := check(sign(s, body)); err != nil {
			t.Errorf("a good signature: %v", err)
		}
	}
	for name, values := range map[string][]string{
		"none": nil, "empty": {""}, "other secret": {sign("x", body)}, "other body": {sign(old, body+" ")},
		"no prefix": {strings.TrimPrefix(sign(old, body), "sha256=")}, "short": {"sha256=00"}, "sha1": {"sha1=" + sign(old, body)[7:]},
		"twice": {sign(old, body), sign("x", body)}, "not hex": {"sha256=" + strings.Repeat("z", 64)},
	} {
		if err := check(values...); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, weak := range [][]byte{nil, []byte("short")} {
		if _, err := sources.HMAC(sources.Scheme{Header: "X"}, weak); err == nil {
			t.Errorf("a secret of %d bytes was taken", len(weak))
		}
	}
}

func TestBearerTokensAreComparedByTheirHash(t *testing.T) {
	t.Parallel()
	token := randomText(t)
	a, err := sources.Bearer(sources.HashToken(randomText(t)), sources.HashToken(token))
	if err != nil {
		t.Fatal(err)
	}
	check := func(v ...string) error {
		return sources.Either(a).Check(context.Background(), sources.Request{Headers: http.Header{"Authorization": v}})
	}
	if err := check("Bearer " + token); err != nil {
		t.Errorf("the right token: %v", err)
	}
	for _, v := range [][]string{nil, {""}, {"Bearer"}, {"Bearer "}, {"Bearer x"}, {"Basic " + token}, {"Bearer " + sources.HashToken(token)}, {"Bearer " + token, "Bearer x"}} {
		if err := check(v...); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%q: %v", v, err)
		}
	}
	if sources.Either().Check(context.Background(), sources.Request{}) == nil {
		t.Error("no way at all must refuse")
	}
	if _, err := sources.Bearer("plain"); err == nil {
		t.Error("a token in place of its hash was taken")
	}
}

// Every scheme of every format: what it signs it takes, and nothing that differs in secret, body, time or place.
func TestEverySchemeTakesWhatItSignedAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"generic", "github", "grafana", "gitguardian", "cloudevents"} {
		scheme, secret, body := sources.SchemeOf(format), randomText(t), []byte(`{"a":1}`)
		a, err := sources.HMAC(scheme, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		check := func(h http.Header, body []byte, at time.Time) error {
			return a.Check(context.Background(), sources.Request{Headers: h, Body: body, At: at})
		}
		good := scheme.Sign([]byte(secret), body, arrival)
		if err := check(good, body, arrival.Add(4*time.Minute)); err != nil {
			t.Errorf("%s: a good delivery: %v", format, err)
		}
		bad := map[string]error{
			"another body":   check(good, []byte(`{"a":2}`), arrival),
			"another secret": check(scheme.Sign([]byte(randomText(t)), body, arrival), body, arrival),
		}
		if scheme.Stamp != "" {
			moved, bare, odd := good.Clone(), good.Clone(), good.Clone()
			moved.Set(scheme.Stamp, "1795608001")
			bare.Del(scheme.Stamp)
			odd.Set(scheme.Stamp, "yesterday")
			bad["an old one, again"] = check(good, body, arrival.Add(6*time.Minute))
			bad["from the future"] = check(good, body, arrival.Add(-6*time.Minute))
			bad["another time"], bad["its time taken off"], bad["a time that is none"] = check(moved, body, arrival), check(bare, body, arrival), check(odd, body, arrival)
		}
		for name, err := range bad {
			if !errors.Is(err, sources.ErrUnauthenticated) {
				t.Errorf("%s: %s was taken: %v", format, name, err)
			}
		}
	}
}

func TestLoopbackMeansThisMachineAndNoProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from   string
		header http.Header
		good   bool
	}{
		"here": {"127.0.0.1:999", nil, true}, "here by 6": {"[::1]:999", nil, true}, "mapped": {"[::ffff:127.0.0.1]:999", nil, true},
		"elsewhere": {"192.0.2.1:999", nil, false}, "handed on": {"127.0.0.1:999", http.Header{"X-Forwarded-For": {"192.0.2.1"}}, false},
		"handed on, the new way": {"127.0.0.1:999", http.Header{"Forwarded": {"for=192.0.2.1"}}, false},
	} {
		err := sources.Loopback().Check(context.Background(), sources.Request{Headers: c.header, Remote: netip.MustParseAddrPort(c.from)})
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sources.Loopback().Check(context.Background(), sources.Request{}) == nil {
		t.Error("nobody knows from where, and it was taken")
	}
}

func TestACertificateCountsByItsNames(t *testing.T) {
	t.Parallel()
	a, err := sources.Certificate("scanner.example", "spiffe://acme/gateway")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names []string
		good  bool
	}{{[]string{"scanner.example"}, true}, {[]string{"x", "spiffe://acme/gateway"}, true}, {[]string{"scanner.example.evil"}, false}, {nil, false}} {
		if err := a.Check(context.Background(), sources.Request{Peer: c.names}); (err == nil) != c.good {
			t.Errorf("%q: %v", c.names, err)
		}
	}
	if _, err := sources.Certificate(); err == nil {
		t.Error("no names were taken")
	}
}
