package console_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signin"
)

// withRoles adds people who have one role each, with a token that is made here.
func withRoles(t *testing.T) (*world, map[string]*browser) {
	t.Helper()
	tokens := map[string]string{}
	w := newWorld(t, func(o *console.Options) {
		o.History = func(_ context.Context, r incident.Run) (history.History, error) {
			return history.History{WorkflowID: r.WorkflowID(), Events: []history.Event{{ID: 1, Type: "ActivityTaskScheduled", Step: "identify", Payloads: map[string]any{"input[0]": "secret of the engine"}}}}, nil
		}
		for _, role := range []string{people.Viewer, people.Responder, people.Author, people.Operator} {
			tokens[role] = rand.Text()
			o.Desk.(*desk).tokens[tokens[role]] = incident.Person{ID: role, Name: "One " + role, Roles: []string{role}}
		}
	})
	out := map[string]*browser{}
	for role, token := range tokens {
		b := w.stranger()
		if res, _ := b.do("POST", "/sign-in", url.Values{"token": {token}}); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("the %s cannot sign in: %d", role, res.StatusCode)
		}
		out[role] = b
	}
	return w, out
}

func TestAnIDInAnAddressOpensOnlyWhatTheRoleMaySee(t *testing.T) {
	t.Parallel()
	_, as := withRoles(t)
	run := "/runs/" + reporttest.RunID
	for _, c := range []struct {
		path string
		may  string // roles, in the order of their letters
	}{
		{"/", "aorv"}, {"/runs", "aorv"}, {run, "aorv"}, {"/signoffs/" + reporttest.Open, "aorv"}, {"/alerts/al-01", "aorv"}, {"/keys", "aorv"}, {"/playbooks", "aorv"}, {"/actions", "aorv"},
		{run + "/history", "aor"}, {"/v1" + run + "/history", "aor"}, {"/v1" + run + "/report?format=json", "aor"}, {"/setup", "o"},
		{"/v1" + run, "aorv"}, {"/v1" + run + "/report?format=md", "aorv"},
	} {
		for role, b := range as {
			want := http.StatusForbidden
			if strings.Contains(c.may, role[:1]) {
				want = http.StatusOK
			}
			if res, _ := b.do("GET", c.path, nil); res.StatusCode != want {
				t.Errorf("%s asks for %s and is answered %d, want %d", role, c.path, res.StatusCode, want)
			}
		}
	}
	for _, path := range []string{run, "/v1" + run, "/alerts/al-01", "/v1" + run + "/timeline"} {
		_, body := as[people.Viewer].do("GET", path, nil)
		for _, detail := range []string{"address restriction", "{&#34;title", `{"title"`} {
			if strings.Contains(body, detail) {
				t.Errorf("%s shows the viewer %q", path, detail)
			}
		}
		if _, body := as[people.Author].do("GET", path, nil); path == run && !strings.Contains(body, "address restriction") {
			t.Error("the author does not see what calls gave, so this test says nothing")
		}
	}
}

func TestOnlyRespondersDecide(t *testing.T) {
	t.Parallel()
	w, as := withRoles(t)
	for role, b := range as {
		form := url.Values{"csrf": {b.csrf()}, "request": {reporttest.Open}, "digest": {w.open.Digest}, "verb": {"approve"}, "code": {w.open.Code}}
		res, page := b.do("POST", "/signoffs/"+reporttest.Open+"/decisions", form)
		if want := role == people.Responder; (res.StatusCode == http.StatusOK) != want || strings.Contains(page, "Recorded.") != want {
			t.Errorf("%s decides and is answered %d", role, res.StatusCode)
		}
	}
	if acts := w.desk.seen(); len(acts) != 1 || acts[0].Person != people.Responder {
		t.Errorf("the desk saw %+v", acts)
	}
}

// sso is a sign-on service in front of a console, with a mapping as the house has it.
type sso struct {
	*signin.Provider
	listed map[string]incident.Person
}

func (s sso) Finish(ctx context.Context, answer url.Values, browser string) (incident.Person, string, error) {
	who, next, err := s.Provider.Finish(ctx, answer, browser)
	if err != nil {
		return incident.Person{}, "", err
	}
	p, ok := s.listed[who.Subject]
	if !ok {
		return p, "", errors.New("you are not listed here")
	}
	return p, next, nil
}

func TestSigningInByTheSignOnServiceOpensASessionOfThePersonBehindTheSubject(t *testing.T) {
	t.Parallel()
	service := &late{}
	w := newWorld(t, func(o *console.Options) { o.SignOn = service })
	fake := sandbox.NewOIDC(w.server.URL + console.SignOnBack)
	front := httptest.NewServer(fake.Handler())
	t.Cleanup(front.Close)
	fake.Issuer = front.URL
	p, err := signin.New(signin.Options{Name: "Example SSO", Issuer: front.URL, ClientID: fake.ClientID, ClientSecret: fake.ClientSecret, RedirectURL: w.server.URL + console.SignOnBack, Box: reporttest.Box(t), SeenBefore: w.db.SeenBefore})
	if err != nil {
		t.Fatal(err)
	}
	service.SignOn = sso{p, map[string]incident.Person{"00u-ana": {ID: "ana", Name: "Ana Reyes", Roles: []string{people.Operator}}}}

	b := w.stranger()
	if _, page := b.do("GET", "/sign-in?next=%2Fsetup", nil); !strings.Contains(page, "Sign in with Example SSO") {
		t.Error("the page does not offer the service")
	}
	back := chosen(t, b, "00u-ana")
	stranger := w.stranger()
	if res, _ := stranger.do("GET", back, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the way back opens in another browser: %d", res.StatusCode)
	}
	back = chosen(t, b, "00u-ana")
	res, page := b.do("GET", back, nil)
	if res.StatusCode != http.StatusOK || !strings.Contains(page, `content="0; url=/setup"`) {
		t.Fatalf("%d %s", res.StatusCode, page)
	}
	if res, page := b.do("GET", "/setup", nil); res.StatusCode != http.StatusOK || !strings.Contains(page, "Ana Reyes") {
		t.Errorf("the session does not open the page: %d", res.StatusCode)
	}
	for as, want := range map[string]string{"00u-vic": "not listed", "": "access_denied"} {
		other := w.stranger()
		if res, page := other.do("GET", chosen(t, other, as), nil); res.StatusCode != http.StatusUnauthorized || !strings.Contains(page, want) {
			t.Errorf("%q is answered %d, want %q on the page", as, res.StatusCode, want)
		}
	}
}

// late is filled after the console has an address.
type late struct{ console.SignOn }

// chosen goes to the service, chooses who to be, and returns the path with which the browser comes back.
func chosen(t *testing.T, b *browser, as string) string {
	t.Helper()
	res, _ := b.do("GET", "/sign-in/oidc?next=%2Fsetup", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, res.Header.Get("Location"), strings.NewReader(url.Values{"as": {as}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err = http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	to, err := res.Location()
	if err != nil {
		t.Fatal(err)
	}
	return to.RequestURI()
}

func TestWhoseTokenHasExpiredIsToldSo(t *testing.T) {
	t.Parallel()
	b := newWorld(t).stranger()
	if res, page := b.do("POST", "/sign-in", url.Values{"token": {"expired"}}); res.StatusCode != http.StatusUnauthorized || !strings.Contains(page, "expired on 2026-11-01") {
		t.Errorf("%d %s", res.StatusCode, page)
	}
	if res, body := b.do("GET", "/v1/runs", nil, "Authorization", "Bearer expired"); res.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "expired on 2026-11-01") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
