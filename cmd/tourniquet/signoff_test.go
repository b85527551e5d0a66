package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func openRequest(t *testing.T, o office) signoff.View {
	t.Helper()
	v, err := o.db.Request(t.Context(), reporttest.Open)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSignoffListShowsWhatIsOpen(t *testing.T) {
	t.Parallel()
	o := opened(t)
	got := command(t, o.env, "signoff", "list")
	if got.code != exitGood || !strings.Contains(got.out, reporttest.Open) || strings.Contains(got.out, reporttest.Approved) {
		t.Errorf("exit %d:\n%s%s", got.code, got.out, got.talk)
	}
	if got := command(t, o.env, "signoff", "list", "--all"); !strings.Contains(got.out, reporttest.Approved) || !strings.Contains(got.out, reporttest.Question) {
		t.Errorf("--all leaves something out:\n%s", got.out)
	}
}

func TestSignoffShowPrintsTheCallsTheCodeAndEveryAttempt(t *testing.T) {
	t.Parallel()
	o := opened(t)
	got := command(t, o.env, "signoff", "show", reporttest.Open)
	for _, want := range []string{"key.revoke (final)", "gemini:acme-prod:keys/4c1f", openRequest(t, o).Code, "2 of secops", "dana (owner of the key)", "cannot be undone", "Priya Raman", "1874.22 USD", "address 192.0.2.1 only"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is missing in\n%s%s", want, got.out, got.talk)
		}
	}
}

func TestApproveSendsTheDigestOfWhatWasShown(t *testing.T) {
	t.Parallel()
	o := opened(t)
	v := openRequest(t, o)
	got := command(t, o.env, "signoff", "approve", v.Request, "--code", " "+strings.ToUpper(v.Code))
	want := console.Act{Person: "marek", Surface: console.SurfaceCLI, Request: v.Request, Verb: signoff.Approve, Digest: v.Digest}
	if acts := o.desk.did(); got.code != exitGood || got.out != "Counted.\n" || len(acts) != 1 || acts[0] != want {
		t.Errorf("exit %d, printed %q, said %q, did %+v", got.code, got.out, got.talk, acts)
	}
	for _, beside := range []string{"key.revoke", "2 of secops", "until"} {
		if !strings.Contains(got.talk, beside) {
			t.Errorf("%q is not said beside the answer", beside)
		}
	}
}

func TestAnotherCheckCodeDecidesNothing(t *testing.T) {
	t.Parallel()
	o := opened(t)
	for code, exit := range map[string]int{"0000-0000": exitPolicy, "": exitMisuse} {
		if got := command(t, o.env, "signoff", "approve", reporttest.Open, "--code", code); got.code != exit || len(o.desk.did()) != 0 {
			t.Errorf("code %q: exit %d, did %+v", code, got.code, o.desk.did())
		}
	}
}

func TestAViewWhoseCallsAreNotTheSignedOnesIsNotSignedFor(t *testing.T) {
	t.Parallel()
	o := opened(t)
	v := openRequest(t, o)
	behind, err := url.Parse(o.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		other := strings.ReplaceAll(string(body), "gemini:acme-prod:keys/4c1f", "gemini:acme-prod:keys/ffff")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(other)), int64(len(other))
		return nil
	}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	o.env["TOURNIQUET_SERVER"] = srv.URL
	for _, args := range [][]string{{"approve", v.Request, "--code", v.Code}, {"reject", v.Request, "--reason", "no"}, {"show", v.Request}} {
		got := command(t, o.env, append([]string{"signoff"}, args...)...)
		if got.code != exitFailed || !strings.Contains(got.talk, "not the digest") || len(o.desk.did()) != 0 || got.out != "" {
			t.Errorf("%v: exit %d, said %q, did %+v", args, got.code, got.talk, o.desk.did())
		}
	}
}

func TestARefusalOfTheDeskIsRepeatedInItsWords(t *testing.T) {
	t.Parallel()
	for code, exit := range map[string]int{signoff.ExcludedCode: exitPolicy, signoff.ExpiredCode: exitWaiting, signoff.StaleDigest: exitPolicy, "unavailable": exitFailed} {
		o := opened(t)
		o.desk.accepted, o.desk.code, o.desk.answer = false, code, "It does not count: "+code
		v := openRequest(t, o)
		got := command(t, o.env, "signoff", "approve", v.Request, "--code", v.Code)
		if got.code != exit || !strings.Contains(got.talk, o.desk.answer) || got.out != "" {
			t.Errorf("%s: exit %d, said %q", code, got.code, got.talk)
		}
	}
}

func TestRejectNeedsAReasonAndSendsIt(t *testing.T) {
	t.Parallel()
	o := opened(t)
	if got := command(t, o.env, "signoff", "reject", reporttest.Open); got.code != exitMisuse || len(o.desk.did()) != 0 {
		t.Errorf("without a reason: exit %d", got.code)
	}
	got := command(t, o.env, "signoff", "reject", reporttest.Open, "--reason", "wrong key", "-o", "json")
	acts := o.desk.did()
	if got.code != exitGood || !json.Valid([]byte(got.out)) || len(acts) != 1 || acts[0].Verb != signoff.Reject || acts[0].Reason != "wrong key" || acts[0].Digest != openRequest(t, o).Digest {
		t.Errorf("exit %d, printed %q, did %+v", got.code, got.out, acts)
	}
}

func TestAnAnswerIsBoundToTheQuestionAsItWasRead(t *testing.T) {
	t.Parallel()
	o := opened(t)
	q := database.Question{ID: "q-open", Run: reporttest.RunID, Step: "dead", Kind: database.QuestionPark, From: "secops", Prompt: "Again?", Choices: []string{"retry", "stop"}}
	if err := o.db.PutQuestion(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	got := command(t, o.env, "signoff", "answer", q.ID, "retry")
	want := console.Act{
		Person: "marek", Surface: console.SurfaceCLI, Request: q.ID, Verb: wire.VerbAnswer, Answer: "retry",
		Digest: wire.QuestionDigest(wire.Question{ID: q.ID, Prompt: q.Prompt, Choices: q.Choices}),
	}
	if acts := o.desk.did(); got.code != exitGood || len(acts) != 1 || acts[0] != want || !strings.Contains(got.talk, "Again?") {
		t.Errorf("exit %d, said %q, did %+v", got.code, got.talk, acts)
	}
	if got := command(t, o.env, "signoff", "answer", reporttest.Question, "abuse"); got.code != exitPolicy || len(o.desk.did()) != 1 {
		t.Errorf("a question that is closed: exit %d, said %q", got.code, got.talk)
	}
}
