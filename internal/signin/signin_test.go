package signin_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signin"
)

const back = "http://127.0.0.1:1/sign-in/oidc/back"

// fixture is a sign-on service and our side of it, with a clock of their own.
type fixture struct {
	t    *testing.T
	sso  *sandbox.OIDC
	seen func(context.Context, string, time.Time) (bool, error)
	ours *signin.Provider
	now  time.Time
}

func newFixture(t *testing.T, change ...func(*signin.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, sso: sandbox.NewOIDC(back), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	f.sso.Now = func() time.Time { return f.now }
	server := httptest.NewServer(f.sso.Handler())
	t.Cleanup(server.Close)
	f.sso.Issuer = server.URL
	f.seen = reporttest.DB(t).SeenBefore
	o := signin.Options{Issuer: server.URL, ClientID: f.sso.ClientID, ClientSecret: f.sso.ClientSecret, RedirectURL: back, Scopes: []string{"groups"}, Now: func() time.Time { return f.now },
		Box: reporttest.Box(t), SeenBefore: f.seen}
	for _, c := range change {
		c(&o)
	}
	var err error
	if f.ours, err = signin.New(o); err != nil {
		t.Fatal(err)
	}
	return f
}

// chosen goes to the provider, chooses who to be, and returns what the browser comes back with.
func (f *fixture) chosen(as string) (answer url.Values, browser, said string) {
	f.t.Helper()
	address, browser, err := f.ours.Begin(f.t.Context(), "/runs/r-1")
	if err != nil {
		f.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"as": {as}}.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	to, err := res.Location()
	if err != nil {
		return nil, browser, string(body)
	}
	return to.Query(), browser, string(body)
}

func TestWhomTheProviderKnowsComesBackWithTheirSubjectAndGroups(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	answer, browser, _ := f.chosen("00u-ana")
	who, next, err := f.ours.Finish(t.Context(), answer, browser)
	if err != nil || who.Subject != "00u-ana" || who.Name != "Ana Reyes" || len(who.Groups) != 1 || who.Groups[0] != "security" || next != "/runs/r-1" {
		t.Fatalf("%+v, %q, %v", who, next, err)
	}
	if _, _, err := f.ours.Finish(t.Context(), answer, browser); err == nil {
		t.Error("the same answer opened a second session")
	}
}

func TestEveryWrongWayBackIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(*signin.Options)
		sso     func(*sandbox.OIDC)
		answer  func(f *fixture, a url.Values, browser string) (url.Values, string)
		want    string
	}{
		"another browser": {answer: func(_ *fixture, a url.Values, _ string) (url.Values, string) { return a, "guessed" }, want: "not begun in this browser"},
		"no browser":      {answer: func(_ *fixture, a url.Values, _ string) (url.Values, string) { return a, "" }, want: "not begun in this browser"},
		"a state made up": {answer: func(_ *fixture, a url.Values, b string) (url.Values, string) { a.Set("state", "x"); return a, b }, want: "not begun"},
		"a state of another attempt": {answer: func(f *fixture, a url.Values, b string) (url.Values, string) {
			other, _, _ := f.chosen("00u-ana")
			a.Set("state", other.Get("state"))
			return a, b
		}, want: "not begun in this browser"},
		"used at another process": {answer: func(f *fixture, a url.Values, b string) (url.Values, string) {
			if _, err := f.seen(f.t.Context(), "sign-in "+a.Get("state"), time.Now().Add(time.Hour)); err != nil {
				f.t.Fatal(err)
			}
			return a, b
		}, want: "was used already"},
		"too late": {answer: func(f *fixture, a url.Values, b string) (url.Values, string) {
			f.now = f.now.Add(11 * time.Minute)
			return a, b
		}, want: "too old"},
		"a code made up": {answer: func(_ *fixture, a url.Values, b string) (url.Values, string) { a.Set("code", "x"); return a, b }, want: "did not take the code"},
		"the provider says no": {answer: func(_ *fixture, a url.Values, b string) (url.Values, string) {
			a.Set("error", "access_denied")
			return a, b
		}, want: "access_denied"},
		"a code of another attempt": {answer: func(f *fixture, a url.Values, b string) (url.Values, string) {
			other, _, _ := f.chosen("00u-ana")
			a.Set("code", other.Get("code"))
			return a, b
		}, want: "did not take the code"}, // its verifier belongs to the other challenge
		"another nonce":    {sso: func(o *sandbox.OIDC) { o.Spoil = func(c map[string]any) { c["nonce"] = "x" } }, want: "another attempt"},
		"no nonce":         {sso: func(o *sandbox.OIDC) { o.Spoil = func(c map[string]any) { delete(c, "nonce") } }, want: "another attempt"},
		"another audience": {sso: func(o *sandbox.OIDC) { o.Spoil = func(c map[string]any) { c["aud"] = "shop" } }, want: "does not hold"},
		"another issuer":   {sso: func(o *sandbox.OIDC) { o.Spoil = func(c map[string]any) { c["iss"] = "https://evil.example" } }, want: "does not hold"},
		"an old token": {sso: func(o *sandbox.OIDC) {
			o.Spoil = func(c map[string]any) { c["exp"] = o.Now().Add(-time.Minute).Unix() }
		}, want: "does not hold"},
		"nobody":         {sso: func(o *sandbox.OIDC) { o.Spoil = func(c map[string]any) { c["sub"] = "" } }, want: "names nobody"},
		"a forged key":   {sso: func(o *sandbox.OIDC) { o.Forge = true }, want: "does not hold"},
		"a wrong secret": {options: func(o *signin.Options) { o.ClientSecret = "guessed" }, want: "did not take the code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var change []func(*signin.Options)
			if c.options != nil {
				change = append(change, c.options)
			}
			f := newFixture(t, change...)
			if c.sso != nil {
				c.sso(f.sso)
			}
			answer, browser, said := f.chosen("00u-ana")
			if answer == nil {
				t.Fatalf("the provider did not send the browser back: %s", said)
			}
			if c.answer != nil {
				answer, browser = c.answer(f, answer, browser)
			}
			if who, _, err := f.ours.Finish(t.Context(), answer, browser); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v: want %q", who, err, c.want)
			}
		})
	}
}

func TestTheProviderRefusesAnAddressThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *signin.Options) { o.RedirectURL = "https://evil.example/back" })
	if answer, _, said := f.chosen("00u-ana"); answer != nil || !strings.Contains(said, "redirect_uri") {
		t.Errorf("the browser was sent to %v: %s", answer, said)
	}
}

func TestAProviderThatIsAwayKeepsNobodyFromStarting(t *testing.T) {
	t.Parallel()
	p, err := signin.New(signin.Options{Issuer: "http://127.0.0.1:1", ClientID: "x", RedirectURL: back, Box: reporttest.Box(t), SeenBefore: reporttest.DB(t).SeenBefore})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Begin(context.Background(), "/"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v", err)
	}
}
