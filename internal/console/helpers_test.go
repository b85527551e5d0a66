package console_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// desk knows two tokens, made for this test, and accepts what carries the digest of the open request.
type desk struct {
	mu     sync.Mutex
	acts   []console.Act
	digest string
	tokens map[string]incident.Person
	keys   []string
}

func (d *desk) Seal(_ context.Context, person, surface, question string, value []byte) (string, bool, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys = append(d.keys, person+" "+surface+" "+question+" "+string(value))
	return "The key is sealed.", true, ""
}

func (d *desk) sealed() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.keys...)
}

func (d *desk) Decide(_ context.Context, a console.Act) (string, bool, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.acts = append(d.acts, a)
	if a.Verb != "answer" && a.Digest != d.digest {
		return "the calls changed, open the request again", false, signoff.StaleDigest
	}
	return "Your answer counts.", true, ""
}

func (d *desk) Person(_ context.Context, token string) (incident.Person, string, string) {
	if token == "expired" {
		return incident.Person{}, "", "This personal token (tk-1) expired on 2026-11-01."
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p, ok := d.tokens[token]; ok {
		return p, "tk-" + p.ID, ""
	}
	return incident.Person{}, "", ""
}

// Still knows the owners of its tokens, and whoever a sign-on service named.
func (d *desk) Still(_ context.Context, s database.Session) (incident.Person, bool, error) {
	if s.Token == "" {
		return incident.Person{ID: s.Person, Name: s.Said.Name, Roles: s.Said.Roles}, true, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.tokens {
		if s.Token == "tk-"+p.ID {
			return p, true, nil
		}
	}
	return incident.Person{}, false, nil
}

// set changes whose a token is; nobody's: it was revoked.
func (d *desk) set(token string, p incident.Person) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tokens[token] = p
	if p.ID == "" {
		delete(d.tokens, token)
	}
}

// demote gives a person another role.
func (d *desk) demote(person, role string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for token, p := range d.tokens {
		if p.ID == person {
			p.Roles = []string{role}
			d.tokens[token] = p
		}
	}
}

func (d *desk) seen() []console.Act {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]console.Act(nil), d.acts...)
}

type world struct {
	t      *testing.T
	db     *database.DB
	desk   *desk
	open   signoff.View
	token  string
	server *httptest.Server
}

const viewerLink = "one-time-link-of-this-test"

func newWorld(t *testing.T, change ...func(*console.Options)) *world {
	t.Helper()
	w := &world{t: t, db: reporttest.DB(t), token: rand.Text()}
	w.open = reporttest.Fill(t, w.db)
	w.desk = &desk{digest: w.open.Digest, tokens: map[string]incident.Person{w.token: {ID: "marek", Name: "Marek Nowak"}}}
	o := console.Options{DB: w.db, Desk: w.desk, World: incident.WorldDrill, Viewer: viewerLink, Now: func() time.Time { return reporttest.Start().Add(40 * time.Minute) }}
	for _, f := range change {
		f(&o)
	}
	c, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(c.Handler())
	t.Cleanup(w.server.Close)
	return w
}

// browser keeps cookies and does not follow redirects.
type browser struct {
	*world
	cookie *http.Cookie // of the session
	other  *http.Cookie // the last one of another name
}

func (b *browser) do(method, path string, form url.Values, header ...string) (*http.Response, string) {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if b.cookie != nil {
		req.AddCookie(b.cookie)
	}
	if b.other != nil && b.other.MaxAge >= 0 {
		req.AddCookie(b.other)
	}
	return b.send(req)
}

func (b *browser) send(req *http.Request) (*http.Response, string) {
	b.t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Name == "tourniquet_session" {
			b.cookie = c
		} else {
			b.other = c
		}
	}
	return res, string(raw)
}

func (w *world) stranger() *browser { return &browser{world: w} }

func (w *world) signedIn() *browser {
	w.t.Helper()
	b := w.stranger()
	if res, _ := b.do("POST", "/sign-in", url.Values{"token": {w.token}}); res.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("signing in with a known token answers %d", res.StatusCode)
	}
	return b
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (b *browser) csrf() string {
	b.t.Helper()
	_, page := b.do("GET", "/", nil)
	m := csrfField.FindStringSubmatch(page)
	if m == nil {
		b.t.Fatal("the page carries no token for its forms")
	}
	return m[1]
}

func (w *world) api(method, path, body string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return w.stranger().send(req)
}
