package e2e

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor is a browser that is sent to one process or another and keeps the cookie of its session.
type visitor struct {
	t      *testing.T
	cookie *http.Cookie
}

func (v *visitor) do(method, url string, form url.Values) (status int, body string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, url, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if v.cookie != nil {
		req.AddCookie(v.cookie)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.MaxAge > 0 {
			v.cookie = c
		}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// oneSession signs in at one process, writes a lesson down at the other, and signs out at the first: then neither knows the session.
func (f *fleet) oneSession(t *testing.T) {
	t.Helper()
	run, err := f.onlyRun(t)
	if err != nil {
		t.Fatal(err)
	}
	doors := f.front.Targets()
	a, b := "http://"+doors[0], "http://"+doors[1]
	v := &visitor{t: t}
	if status, _ := v.do(http.MethodPost, a+"/sign-in", url.Values{"token": {f.token}}); status != http.StatusSeeOther || v.cookie == nil {
		t.Fatalf("signing in was answered %d", status)
	}
	_, page := v.do(http.MethodGet, a+"/", nil)
	csrf := csrfField.FindStringSubmatch(page)
	if csrf == nil {
		t.Fatal("the page carries no token for its forms")
	}
	const lesson = "one session, two processes"
	if status, _ := v.do(http.MethodPost, b+"/runs/"+run.ID+"/review", url.Values{"csrf": csrf[1:], "kind": {"lesson"}, "text": {lesson}}); status != http.StatusSeeOther {
		t.Errorf("the other process answered the form with %d", status)
	}
	if _, page := v.do(http.MethodGet, a+"/runs/"+run.ID, nil); !strings.Contains(page, lesson) {
		t.Error("what was written at one process is not shown at the other")
	}
	if status, _ := v.do(http.MethodPost, a+"/sign-out", url.Values{"csrf": csrf[1:]}); status != http.StatusSeeOther {
		t.Errorf("signing out was answered %d", status)
	}
	for _, at := range []string{a, b} {
		if status, _ := v.do(http.MethodGet, at+"/runs/"+run.ID, nil); status != http.StatusSeeOther {
			t.Errorf("after the sign-out %s still answers %d", at, status)
		}
	}
}
