package github_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api/apitest"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

type room struct {
	world   *sandbox.World
	hub     *sandbox.GitHub
	api     *api.Client
	tracker *github.Tracker
	alerts  *github.Alerts
	url     string
}

func open(t *testing.T) room {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{})
	hub := w.GitHub()
	hub.AddRepo("acme", "shop")
	r := openAt(t, hub, hub)
	r.world = w
	return r
}

func openAt(t *testing.T, hub *sandbox.GitHub, door http.Handler) room {
	t.Helper()
	srv := httptest.NewServer(door)
	t.Cleanup(srv.Close)
	c, err := api.New(api.Options{BaseURL: srv.URL, Token: hub.Token(), Transport: apitest.Contract(t, http.DefaultTransport)})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := github.NewTracker(c, "acme", "shop")
	if err != nil {
		t.Fatal(err)
	}
	return room{nil, hub, c, tr, github.NewAlerts(c), srv.URL}
}

func secret(t *testing.T) string {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "test-" + hex.EncodeToString(b)
}

func TestOpeningTwiceGivesOneIssue(t *testing.T) {
	t.Parallel()
	r := open(t)
	first, err := r.tracker.Open(context.Background(), "inc-1", "Leaked key", "body")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 120 { // further than one page of the list
		if _, err := r.tracker.Open(context.Background(), fmt.Sprintf("other-%d", i), "Other", "body"); err != nil {
			t.Fatal(err)
		}
	}
	second, err := r.tracker.Open(context.Background(), "inc-1", "Leaked key", "body")
	if err != nil || first != second {
		t.Errorf("the repeat gave %+v after %+v: %v", second, first, err)
	}
	if n := len(r.hub.Issues("acme", "shop")); n != 121 {
		t.Errorf("%d issues were opened", n)
	}
}

// losing obeys the first POST but never answers it.
type losing struct {
	next http.Handler
	lost bool
}

func (l *losing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && !l.lost {
		l.lost = true
		l.next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	l.next.ServeHTTP(w, r)
}

func TestALostAnswerDoesNotOpenASecondIssue(t *testing.T) {
	t.Parallel()
	hub := sandbox.NewWorld(sandbox.Options{}).GitHub()
	hub.AddRepo("acme", "shop")
	r := openAt(t, hub, &losing{next: hub})
	if _, err := r.tracker.Open(context.Background(), "inc-1", "T", "b"); err == nil || keys.IsPermanent(err) {
		t.Fatalf("a lost answer must be retryable: %v", err)
	}
	if _, err := r.tracker.Open(context.Background(), "inc-1", "T", "b"); err != nil {
		t.Fatal(err)
	}
	if n := len(r.hub.Issues("acme", "shop")); n != 1 {
		t.Errorf("%d issues", n)
	}
}

func TestHostileTextNeitherMentionsNorMarksUpNorForgesAMarker(t *testing.T) {
	t.Parallel()
	r := open(t)
	evil := "hello @acme/everyone ```` <b>x</b>\n<!-- tourniquet:inc-2 -->\n```\n@here \u202etxt"
	one, err := r.tracker.Open(context.Background(), "inc-1", "@channel `x` <!-- --> \n# y", evil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := r.tracker.Open(context.Background(), "inc-2", "T", "b")
	if err != nil || two.ID == one.ID {
		t.Errorf("a marker inside hostile text was believed: %v %v", two, err)
	}
	got := r.hub.Issues("acme", "shop")[0]
	if strings.Contains(got.Title, "@channel") || strings.ContainsAny(got.Title, "<`\n") {
		t.Errorf("title %q", got.Title)
	}
	lines := strings.Split(strings.TrimSpace(got.Body), "\n")
	if lines[0] != "<!-- tourniquet:inc-1 -->" || lines[1] != "`````text" || lines[len(lines)-1] != "`````" {
		t.Errorf("body is not one fenced block: %q", got.Body)
	}
	if strings.Contains(got.Body, "\u202e") {
		t.Error("a bidirectional override survived")
	}
}

func TestCommentsAreWrittenOnceAndClosingTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	r := open(t)
	k, err := r.tracker.Open(context.Background(), "inc-1", "T", "b")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.tracker.Comment(context.Background(), k.ID, "run-1/contained", "Contained."); err != nil {
			t.Fatal(err)
		}
		if err := r.tracker.Close(context.Background(), k.ID, "Done."); err != nil {
			t.Fatal(err)
		}
	}
	got := r.hub.Issues("acme", "shop")[0]
	if len(got.Comments) != 2 || got.State != "closed" {
		t.Errorf("%d comments, state %q", len(got.Comments), got.State)
	}
	if len(got.Labels) != 1 || got.Labels[0] != github.Label {
		t.Errorf("labels %q", got.Labels)
	}
}

func TestIdsAndMarkersThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	r := open(t)
	for _, id := range []string{"", "0", "-1", "1/../2", "x"} {
		if err := r.tracker.Comment(context.Background(), id, "m", "b"); !keys.IsPermanent(err) {
			t.Errorf("id %q: %v", id, err)
		}
	}
	for _, m := range []string{"", "a-->b", "a--b", "a b", "a\nb"} {
		if _, err := r.tracker.Open(context.Background(), m, "T", "b"); !keys.IsPermanent(err) {
			t.Errorf("marker %q: %v", m, err)
		}
	}
	if _, err := github.NewTracker(r.api, "..", "x"); err == nil {
		t.Error("an impossible owner was taken")
	}
}

func TestAnAlertIsReadWithItsSecretAndResolvedOnce(t *testing.T) {
	t.Parallel()
	r, s := open(t), secret(t)
	n := r.hub.AddAlert("acme", "shop", "google_api_key", s, "config/app.env")
	for _, link := range []string{
		fmt.Sprintf("%s/repos/acme/shop/secret-scanning/alerts/%d", r.url, n),
		fmt.Sprintf("%s/acme/shop/security/secret-scanning/%d", r.url, n),
	} {
		f, err := r.alerts.FetchAlert(context.Background(), link)
		if err != nil || string(f.Secret) != s || f.SecretType != "google_api_key" || f.State != "open" {
			t.Fatalf("%s: type %q state %q: %v", link, f.SecretType, f.State, err)
		}
		where, err := r.alerts.Locations(context.Background(), link)
		if err != nil || len(where) != 1 || where[0].Details["path"] != "config/app.env" {
			t.Errorf("locations: %+v, %v", where, err)
		}
	}
	link := fmt.Sprintf("%s/acme/shop/security/secret-scanning/%d", r.url, n)
	if err := r.alerts.Resolve(context.Background(), link, "solved", "x"); !keys.IsPermanent(err) {
		t.Errorf("a resolution that GitHub does not have: %v", err)
	}
	for range 2 {
		if err := r.alerts.Resolve(context.Background(), link, "revoked", "Revoked by run-1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.hub.Alert("acme", "shop", n); got.State != "resolved" || got.Resolution != "revoked" || got.Comment != "Revoked by run-1" {
		t.Errorf("%+v", got)
	}
	patches := 0
	for _, e := range r.world.Entries() {
		if e.Method == http.MethodPatch {
			patches++
		}
		if strings.Contains(e.Path, s) {
			t.Error("the secret is in a path")
		}
	}
	if patches != 1 {
		t.Errorf("resolved %d times", patches)
	}
}

func TestLinksElsewhereAreNotFollowed(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.hub.AddAlert("acme", "shop", "google_api_key", secret(t), "x")
	for _, link := range []string{
		"", "http://evil.example/repos/acme/shop/secret-scanning/alerts/1", r.url + "/repos/acme/shop/issues/1",
		r.url + "/acme/shop/security/secret-scanning/one", r.url + "/repos/../shop/secret-scanning/alerts/1", "::",
	} {
		if _, err := r.alerts.FetchAlert(context.Background(), link); !keys.IsPermanent(err) {
			t.Errorf("%q: %v", link, err)
		}
	}
	if n := len(r.world.Entries()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestFetchFaultsKeepTheSecretOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status    int
		permanent bool
	}{{401, true}, {403, true}, {404, true}, {429, false}, {503, false}, {sandbox.FaultGarbage, false}, {sandbox.FaultLost, false}} {
		r, s := open(t), secret(t)
		r.hub.AddAlert("acme", "shop", "google_api_key", s, "x")
		r.world.Fault("github", c.status, 3)
		_, err := r.alerts.FetchAlert(context.Background(), r.url+"/acme/shop/security/secret-scanning/1")
		if err == nil || keys.IsPermanent(err) != c.permanent {
			t.Errorf("fault %d: %v", c.status, err)
			continue
		}
		if strings.Contains(err.Error(), s) || strings.Contains(err.Error(), r.url) || strings.Contains(err.Error(), r.hub.Token()) {
			t.Errorf("fault %d: the error shows too much: %v", c.status, err)
		}
	}
}

func TestLoginProvesTheToken(t *testing.T) {
	t.Parallel()
	r := open(t)
	if who, err := r.api.Login(context.Background()); err != nil || who == "" {
		t.Errorf("%q, %v", who, err)
	}
	wrong, err := api.New(api.Options{BaseURL: r.url, Token: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Login(context.Background()); !keys.IsPermanent(err) || !api.IsStatus(err, http.StatusUnauthorized) {
		t.Errorf("a wrong token: %v", err)
	}
	for _, base := range []string{"ftp://x/", "https://user:pw@x/", "nothing"} {
		if _, err := api.New(api.Options{BaseURL: base, Token: "x"}); err == nil {
			t.Errorf("base %q was taken", base)
		}
	}
}
