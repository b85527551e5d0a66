package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

var pages = []string{"/", "/runs", "/runs/" + reporttest.RunID, "/signoffs", "/signoffs/" + reporttest.Open, "/signoffs/" + reporttest.Approved,
	"/questions/" + reporttest.Question, "/runs/" + reporttest.RunID + "/step?path=first_minute/usage", "/alerts", "/alerts/al-01", "/keys", "/playbooks", "/actions"}

var answers = []string{"/v1/runs", "/v1/runs/" + reporttest.RunID, "/v1/runs/" + reporttest.RunID + "/timeline", "/v1/signoffs",
	"/v1/signoffs/" + reporttest.Open, "/v1/questions", "/v1/alerts", "/v1/runs/" + reporttest.RunID + "/report?format=md",
	"/v1/runs/" + reporttest.RunID + "/report?format=html", "/v1/runs/" + reporttest.RunID + "/report?format=json"}

func TestWhatAnAttackerWroteIsShownAsTextOnEveryPage(t *testing.T) {
	t.Parallel()
	b := newWorld(t).signedIn()
	for _, path := range append(append([]string{}, pages...), "/v1/runs/"+reporttest.RunID+"/report?format=html") {
		res, body := b.do("GET", path, nil)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", path, res.StatusCode)
		}
		for _, bad := range []string{"<script>alert", "<b>backend", "\u202e", "\u202c", "\u200b"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s carries %q as it came", path, bad)
			}
		}
	}
	if _, body := b.do("GET", "/runs/"+reporttest.RunID, nil); !strings.Contains(body, "&lt;script&gt;alert(1)") || !strings.Contains(body, `\u202egnp.exe`) {
		t.Error("the page of the run does not show the hostile text in a visible form")
	}
}

func TestJSONKeepsItsMeaningWithHiddenCharactersEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, body := w.api("GET", "/v1/alerts", "")
	if res.StatusCode != http.StatusOK || strings.ContainsAny(body, "\u202e\u200b") {
		t.Fatalf("%d with raw hidden characters: %q", res.StatusCode, body)
	}
	var got struct{ Items []incident.Alert }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != 1 || got.Items[0].Title != reporttest.Hostile {
		t.Errorf("the alerts are %+v, want the title that the source sent", got.Items)
	}
}

func TestNobodyReadsAnythingBeforeSigningIn(t *testing.T) {
	t.Parallel()
	b := newWorld(t).stranger()
	for _, path := range pages {
		if res, body := b.do("GET", path, nil); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/sign-in?") || strings.Contains(body, "shop") {
			t.Errorf("%s answers a stranger with %d to %q", path, res.StatusCode, res.Header.Get("Location"))
		}
	}
	for _, path := range append(append([]string{}, answers...), "/events") {
		if res, _ := b.do("GET", path, nil); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answers a stranger with %d, want 401", path, res.StatusCode)
		}
	}
	if res, _ := b.do("GET", "/v1/runs", nil, "Authorization", "Bearer guessed"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a guessed token gets %d, want 401", res.StatusCode)
	}
	if res, _ := b.do("POST", "/sign-in", url.Values{"token": {"guessed"}}); res.StatusCode != http.StatusUnauthorized || b.cookie != nil {
		t.Errorf("signing in with a guessed token gets %d and the cookie %v", res.StatusCode, b.cookie)
	}
}

func TestTheSessionCookieIsOutOfReachOfScriptsAndOtherSites(t *testing.T) {
	t.Parallel()
	b := newWorld(t, func(o *console.Options) { o.Secure = true }).signedIn()
	if c := b.cookie; !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", c)
	}
	res, _ := b.do("GET", "/", nil)
	if p := res.Header.Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || !strings.Contains(p, "default-src 'none'") {
		t.Errorf("the policy of pages is %q", p)
	}
	if res, _ := b.do("POST", "/sign-out", url.Values{"csrf": {b.csrf()}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing out answers %d", res.StatusCode)
	}
	b.cookie.MaxAge = 0
	if res, _ := b.do("GET", "/", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a session that was signed out still reads: %d", res.StatusCode)
	}
}

func TestNoPageHoldsInlineScriptOrStyle(t *testing.T) {
	t.Parallel()
	b := newWorld(t).signedIn()
	for _, path := range pages {
		_, body := b.do("GET", path, nil)
		for _, bad := range []string{"<style", " style=", " onclick=", " onload=", "<script>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s holds %q, which its own policy forbids", path, bad)
			}
		}
	}
}

func TestNoGETChangesAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	read := func() string {
		_, facts := w.api("GET", "/v1/runs/"+reporttest.RunID, "")
		_, alerts := w.api("GET", "/v1/alerts", "")
		return facts + alerts
	}
	before := read()
	query := "?verb=approve&code=" + w.open.Code + "&digest=" + w.open.Digest + "&csrf=" + b.csrf() + "&answer=abuse"
	for _, path := range append(append([]string{}, pages...), answers...) {
		b.do("GET", path+strings.Replace(query, "?", map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")], 1), nil)
	}
	if res, _ := b.do("GET", "/signoffs/"+reporttest.Open+"/decisions"+query, nil); res.StatusCode < 400 {
		t.Errorf("deciding by GET answers %d", res.StatusCode)
	}
	if acts := w.desk.seen(); len(acts) != 0 {
		t.Errorf("GETs reached the desk: %+v", acts)
	}
	if after := read(); after != before {
		t.Error("the records differ after nothing but GETs")
	}
	v := w.stranger() // looking at the viewer's link must not use it up
	v.do("GET", "/sign-in?link="+viewerLink, nil)
	if res, _ := v.do("POST", "/sign-in", url.Values{"link": {viewerLink}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the link was used up by a look at it: %d", res.StatusCode)
	}
}

func TestAnUnknownIDIsNotFoundAndSaysWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	for _, path := range []string{"/runs/nope", "/signoffs/nope", "/questions/nope", "/v1/runs/nope", "/v1/runs/nope/timeline", "/v1/runs/nope/report", "/v1/runs/nope/evidence", "/v1/signoffs/nope"} {
		if res, body := b.do("GET", path, nil); res.StatusCode != http.StatusNotFound || !strings.Contains(body, "nope") {
			t.Errorf("%s answers %d", path, res.StatusCode)
		}
	}
}

func TestTheReportComesInTheFormatThatIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	path := "/v1/runs/" + reporttest.RunID + "/report"
	for accept, kind := range map[string]string{"text/html,*/*;q=0.8": "text/html", "application/json": "application/json", "text/markdown": "text/markdown", "": "text/markdown"} {
		if res, body := b.do("GET", path, nil, "Accept", accept); !strings.HasPrefix(res.Header.Get("Content-Type"), kind) || body == "" {
			t.Errorf("Accept %q gives %q", accept, res.Header.Get("Content-Type"))
		}
	}
	if res, _ := b.do("GET", path+"?format=pdf", nil); res.StatusCode != http.StatusNotAcceptable {
		t.Errorf("an unknown format answers %d", res.StatusCode)
	}
	if res, _ := b.do("GET", "/v1/runs/"+reporttest.RunID+"/evidence", nil); res.StatusCode != http.StatusNotImplemented {
		t.Errorf("without an evidence store the bundle answers %d", res.StatusCode)
	}
}

func TestAViewersLinkExistsInDrillsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, world := range []string{incident.WorldProduction, ""} {
		if _, err := console.New(console.Options{DB: w.db, Desk: w.desk, World: world, Viewer: "x"}); err == nil {
			t.Errorf("a console of the world %q takes a viewer's link", world)
		}
	}
}

func TestAPageThatWatchesHearsWhichRunChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", w.server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(b.cookie)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	readUntil(t, res.Body, "hello")
	if err := w.db.UpdateRun(t.Context(), reporttest.RunID, func(r *incident.Run) { r.State = "running" }); err != nil {
		t.Fatal(err)
	}
	heard := readUntil(t, res.Body, "change")
	if !bytes.Contains(heard, []byte(reporttest.RunID)) {
		t.Errorf("heard %q, want the id of the run", heard)
	}
}

// readUntil reads events until one of the given name is whole. The test's own deadline ends a stream that stays silent.
func readUntil(t *testing.T, r interface{ Read([]byte) (int, error) }, name string) []byte {
	t.Helper()
	var all []byte
	buf := make([]byte, 1024)
	for {
		n, err := r.Read(buf)
		all = append(all, buf[:n]...)
		if i := bytes.Index(all, []byte("event: "+name+"\n")); i >= 0 && bytes.Contains(all[i:], []byte("\n\n")) {
			return all[i:]
		}
		if err != nil {
			t.Fatalf("the stream ended before %q: %v (%q)", name, err, all)
		}
	}
}
