package console_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

const decisions = "/signoffs/" + reporttest.Open + "/decisions"

func (b *browser) approval(change ...string) url.Values {
	form := url.Values{"csrf": {b.csrf()}, "request": {reporttest.Open}, "digest": {b.open.Digest}, "code": {b.open.Code}, "verb": {"approve"}}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

func TestAnApprovalReachesTheDeskWithExactlyWhatWasShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	res, body := b.do("POST", decisions, b.approval("code", " "+strings.ToUpper(w.open.Code)+" ", "reason", "looked twice"))
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "Your answer counts.") {
		t.Errorf("answer %d", res.StatusCode)
	}
	want := []console.Act{{Person: "marek", Surface: "console", Request: reporttest.Open, Verb: "approve", Digest: w.open.Digest, Reason: "looked twice"}}
	if got := w.desk.seen(); !reflect.DeepEqual(got, want) {
		t.Errorf("the desk got %+v, want %+v", got, want)
	}
}

func TestWithoutTheSessionsTokenNothingReachesTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, other := w.signedIn(), w.signedIn()
	for name, token := range map[string]string{"none": "", "guessed": "guess", "of another session": other.csrf()} {
		if res, _ := b.do("POST", decisions, b.approval("csrf", token)); res.StatusCode != http.StatusForbidden {
			t.Errorf("token %s: answer %d, want 403", name, res.StatusCode)
		}
	}
	if res, _ := b.do("POST", decisions, b.approval(), "Sec-Fetch-Site", "cross-site"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a form from another site: answer %d, want 403", res.StatusCode)
	}
	if res, _ := w.stranger().do("POST", decisions, b.approval()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger's form: answer %d, want 401", res.StatusCode)
	}
	if acts := w.desk.seen(); len(acts) != 0 {
		t.Errorf("the desk got %+v", acts)
	}
}

func TestAViewerMayLookOnceAndNeverDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.stranger()
	if res, _ := v.do("POST", "/sign-in", url.Values{"link": {viewerLink}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the link answers %d", res.StatusCode)
	}
	if res, body := v.do("GET", "/signoffs/"+reporttest.Open, nil); res.StatusCode != http.StatusOK || strings.Contains(body, "form class=\"decide\"") {
		t.Errorf("the viewer's page answers %d or holds a form to decide", res.StatusCode)
	}
	if res, _ := v.do("POST", decisions, v.approval()); res.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer's decision answers %d, want 403", res.StatusCode)
	}
	if res, _ := v.do("POST", "/questions/"+reporttest.Question+"/answers", url.Values{"csrf": {v.csrf()}, "answer": {"abuse"}}); res.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer's answer gets %d, want 403", res.StatusCode)
	}
	if res, _ := v.do("POST", "/v1"+decisions, url.Values{}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a cookie on the API's write answers %d, want 401", res.StatusCode)
	}
	if res, _ := w.stranger().do("POST", "/sign-in", url.Values{"link": {viewerLink}}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the link worked twice: %d", res.StatusCode)
	}
	if acts := w.desk.seen(); len(acts) != 0 {
		t.Errorf("the desk got %+v", acts)
	}
}

func TestAFormOfAnotherPageNeverBecomesAnAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	if res, _ := b.do("POST", decisions, b.approval("request", reporttest.Approved)); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("answer %d, want 422", res.StatusCode)
	}
	if acts := w.desk.seen(); len(acts) != 0 {
		t.Errorf("the desk got %+v", acts)
	}
}

// Whatever a person tries is the desk's to write down and refuse: also what lacks a code, a reason or a known verb, and
// what is about nothing that exists.
func TestWhatLacksSomethingReachesTheDeskAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	if res, _ := b.do("POST", decisions, b.approval("code", "")); res.StatusCode != http.StatusConflict {
		t.Errorf("an approval without check code is answered %d, want 409", res.StatusCode)
	}
	_, _ = b.do("POST", decisions, b.approval("verb", "reject", "reason", "  "))
	_, _ = b.do("POST", decisions, b.approval("verb", "maybe"))
	if res, _ := b.do("POST", "/signoffs/nope/decisions", b.approval("request", "nope")); res.StatusCode != http.StatusNotFound {
		t.Errorf("an approval of nothing is answered %d, want 404", res.StatusCode)
	}
	want := []console.Act{
		{Person: "marek", Surface: "console", Request: reporttest.Open, Verb: "approve", Digest: "no check code"},
		{Person: "marek", Surface: "console", Request: reporttest.Open, Verb: "reject", Digest: w.open.Digest},
		{Person: "marek", Surface: "console", Request: reporttest.Open, Verb: "maybe", Digest: w.open.Digest},
		{Person: "marek", Surface: "console", Request: "nope", Verb: "approve"},
	}
	if got := w.desk.seen(); !reflect.DeepEqual(got, want) {
		t.Errorf("the desk got\n%+v, want\n%+v", got, want)
	}
}

func TestAWrongCheckCodeIsAnAttemptThatTheDeskRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	res, body := b.do("POST", decisions, b.approval("code", "0000-0000"))
	if res.StatusCode != http.StatusConflict || !strings.Contains(body, "stale_digest") {
		t.Errorf("answer %d", res.StatusCode)
	}
	if res, body := w.api("POST", "/v1"+decisions, `{"verb":"approve","code":"0000-0000"}`); res.StatusCode != http.StatusConflict || !strings.Contains(body, "stale_digest") {
		t.Errorf("over the API: %d %s", res.StatusCode, body)
	}
	acts := w.desk.seen()
	if len(acts) != 2 || acts[0].Digest == w.open.Digest || acts[1].Digest == w.open.Digest {
		t.Errorf("the desk got %+v, want two attempts bound to something else", acts)
	}
}

func TestTheAPIDecidesAndAnswersWithAPersonalToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/v1" + decisions, `{"verb":"approve","code":"` + w.open.Code + `"}`, 200},
		{"/v1" + decisions, `{"verb":"reject","reason":"wrong key"}`, 200},
		{"/v1/questions/" + reporttest.Question + "/answers", `{"answer":"abuse"}`, 200},
		{"/v1" + decisions, `{"verb":"approve","sure":true}`, 422},
		{"/v1/signoffs/nope/decisions", `{"verb":"reject","reason":"x"}`, 404},
	} {
		if res, body := w.api("POST", c.path, c.body); res.StatusCode != c.want {
			t.Errorf("%s %s answers %d %s, want %d", c.path, c.body, res.StatusCode, body, c.want)
		}
	}
	q, err := w.db.Question(t.Context(), reporttest.Question)
	if err != nil {
		t.Fatal(err)
	}
	want := []console.Act{
		{Person: "marek", Surface: "cli", Request: reporttest.Open, Verb: "approve", Digest: w.open.Digest},
		{Person: "marek", Surface: "cli", Request: reporttest.Open, Verb: "reject", Digest: w.open.Digest, Reason: "wrong key"},
		{Person: "marek", Surface: "cli", Request: reporttest.Question, Verb: wire.VerbAnswer, Answer: "abuse",
			Digest: wire.QuestionDigest(wire.Question{ID: q.ID, Prompt: q.Prompt, Choices: q.Choices})},
		{Person: "marek", Surface: "cli", Request: "nope", Verb: "reject"},
	}
	if got := w.desk.seen(); !reflect.DeepEqual(got, want) {
		t.Errorf("the desk got\n%+v, want\n%+v", got, want)
	}
}

func TestSigningInLeadsOnlyBackIntoTheConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for next, want := range map[string]string{"/signoffs/x?y=1": "/signoffs/x?y=1", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "": "/"} {
		res, _ := w.stranger().do("POST", "/sign-in", url.Values{"token": {w.token}, "next": {next}})
		if got := res.Header.Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
	}
}
