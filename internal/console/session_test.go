package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

// beside is a second process on the same records.
func (w *world) beside(now func() time.Time) *world {
	w.t.Helper()
	c, err := console.New(console.Options{DB: w.db, Desk: w.desk, World: incident.WorldDrill, Viewer: viewerLink, Now: now})
	if err != nil {
		w.t.Fatal(err)
	}
	other := *w
	other.server = httptest.NewServer(c.Handler())
	w.t.Cleanup(other.server.Close)
	return &other
}

// at is the same browser, sent to another process.
func (b *browser) at(w *world) *browser { return &browser{world: w, cookie: b.cookie} }

func TestASessionHoldsAtEveryProcessAndEndsAtEveryProcess(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	b := a.beside(func() time.Time { return reporttest.Start().Add(41 * time.Minute) })
	mine := a.signedIn()
	there := mine.at(b)
	form := url.Values{"csrf": {mine.csrf()}, "request": {reporttest.Open}, "digest": {a.open.Digest}, "verb": {"approve"}, "code": {a.open.Code}}
	if res, page := there.do("POST", "/signoffs/"+reporttest.Open+"/decisions", form); res.StatusCode != http.StatusOK || !strings.Contains(page, "Recorded.") {
		t.Fatalf("the other process answers a decision with %d", res.StatusCode)
	}
	cookie := mine.cookie
	if res, _ := mine.do("POST", "/sign-out", url.Values{"csrf": {mine.csrf()}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing out answers %d", res.StatusCode)
	}
	for name, w := range map[string]*world{"the process that was told": a, "the other": b} {
		if res, _ := (&browser{world: w, cookie: cookie}).do("GET", "/", nil); res.StatusCode != http.StatusSeeOther {
			t.Errorf("after the sign-out %s answers %d", name, res.StatusCode)
		}
	}
}

func TestARoleThatIsTakenAwayIsGoneAtTheNextRequestOfEveryProcess(t *testing.T) {
	t.Parallel()
	a, as := withRoles(t)
	b := as[people.Operator].at(a.beside(func() time.Time { return reporttest.Start().Add(40 * time.Minute) }))
	if res, _ := b.do("GET", "/setup", nil); res.StatusCode == http.StatusForbidden {
		t.Fatal("the operator does not see the set-up, so this test says nothing")
	}
	a.desk.demote(people.Operator, people.Viewer)
	for name, browser := range map[string]*browser{"the process that signed in": as[people.Operator], "another": b} {
		if res, _ := browser.do("GET", "/setup", nil); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s shows the set-up to a viewer: %d", name, res.StatusCode)
		}
	}
}

func TestTheLinkOfADrillOpensOneSessionAtAllProcessesTogether(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	b := a.beside(func() time.Time { return reporttest.Start().Add(40 * time.Minute) })
	if res, _ := a.stranger().do("POST", "/sign-in", url.Values{"link": {viewerLink}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the link is answered %d", res.StatusCode)
	}
	if res, _ := b.stranger().do("POST", "/sign-in", url.Values{"link": {viewerLink}}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("at another process the used link is answered %d", res.StatusCode)
	}
}

func TestAPageThatWatchesHearsNoMoreAfterASignOutElsewhere(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	mine := a.signedIn()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", a.server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(mine.cookie)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	readUntil(t, res.Body, "hello")
	if n, err := a.db.CloseSessionsOf(t.Context(), "marek", "bo", "left his desk"); err != nil || n != 1 {
		t.Fatalf("%d sessions ended: %v", n, err)
	}
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Errorf("the stream did not end with its session: %v", err)
	}
}
