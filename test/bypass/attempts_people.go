package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// wrongPeople are people who may not decide, at every door at which people come in.
func wrongPeople() []attempt {
	const mayNot = "may not decide"
	return []attempt{
		{door: "api", name: "somebody without a token", do: byAPI("", nil), code: "not_authenticated", told: "personal token", unseen: true},
		{door: "api", name: "somebody with a made-up token", do: byAPI("made-up", nil), code: "not_authenticated", told: "personal token", unseen: true},
		{door: "command line", name: "somebody of another group", check: "membership", do: byCommand("lee"), code: signoff.NotEligible, told: "has no seat"},
		{door: "command line", name: "the person who started the run", check: "exclusion", do: byCommand("sam"), code: signoff.ExcludedCode, told: mayNot},
		{door: "command line", name: "the owner of the key", do: byCommand("kim"), code: signoff.ExcludedCode, told: mayNot},
		{door: "command line", name: "the same person twice", do: twice(byCommand("ana")), code: signoff.AlreadyCounted, told: "one person fills one seat"},
		{door: "api", name: "a guest of the workspace", do: byAPI("gus", nil), code: signoff.NotEligible, told: "guest"},
		{door: "api", name: "somebody of another workspace", do: byAPI("fay", nil), code: signoff.NotEligible, told: "another workspace"},
		{door: "api", name: "a bot", do: byAPI("rob", nil), code: signoff.NotEligible, told: "bot"},
		{door: "api", name: "a deactivated account", do: byAPI("del", nil), code: signoff.NotEligible, told: "deactivated"},
		{door: "console", name: "the person who started the run", do: byConsole("sam", nil), code: signoff.ExcludedCode, told: mayNot},
		{door: "console", name: "the owner of the key", do: byConsole("kim", nil), code: signoff.ExcludedCode, told: mayNot},
		{door: "console", name: "somebody of another group", do: byConsole("lee", nil), code: signoff.NotEligible, told: "has no seat"},
		{door: "slack socket", name: "somebody who is not listed", do: byPayload(userStranger, "slack:"+userStranger, nil), code: signoff.NotEligible, told: "not listed under people"},
		{door: "slack socket", name: "the person who started the run", do: bySocket(userSam, "sam"), code: signoff.ExcludedCode, told: mayNot},
		{door: "slack socket", name: "the owner of the key", do: bySocket(sandbox.UserKim, "kim"), code: signoff.ExcludedCode, told: mayNot},
		{door: "slack socket", name: "a guest of the workspace", do: bySocket(userGus, "gus"), code: signoff.NotEligible, told: "guest"},
		{door: "slack socket", name: "the same person twice", do: twice(bySocket(sandbox.UserAna, "ana")), code: signoff.AlreadyCounted, told: "one person fills one seat"},
		{door: "api and socket", name: "one person through two doors at once", do: twoDoors, code: signoff.AlreadyCounted},
	}
}

// wrongPapers are decisions that say the wrong thing.
func wrongPapers() []attempt {
	set := func(name, value string) func(*kase, map[string]string) {
		return func(_ *kase, body map[string]string) { body[name] = value }
	}
	field := func(name, value string) func(*kase, url.Values) {
		return func(_ *kase, f url.Values) { f.Set(name, value) }
	}
	return []attempt{
		{door: "api", name: "the digest of other calls", check: "digest", do: byAPI("ana", func(_ *kase, b map[string]string) {
			b["digest"], b["code"] = "sha256:"+strings.Repeat("0", 64), ""
		}), code: signoff.StaleDigest, told: "check code"},
		{door: "api", name: "a wrong check code", do: byAPI("ana", set("code", "0000-0000")), code: signoff.StaleDigest, told: "check code"},
		{door: "api", name: "no check code", do: byAPI("ana", func(_ *kase, b map[string]string) { delete(b, "code") }), code: signoff.StaleDigest, told: "check code"},
		{door: "api", name: "the digest of another open sign-off", do: otherOpen, code: signoff.StaleDigest, told: "check code"},
		{door: "api", name: "a rejection without a reason", do: byAPI("ana", func(_ *kase, b map[string]string) { b["verb"] = signoff.Reject }), code: signoff.NoReason, told: "needs a reason"},
		{door: "api", name: "a verb of one's own", do: byAPI("ana", set("verb", "force")), code: signoff.BadVerb, told: "an answer is"},
		{door: "api", name: "an argument beside the decision", do: byAPI("ana", set("calls", "[]")), code: "malformed", told: "not the JSON object", unseen: true},
		{door: "api", name: "a request that does not exist", do: noRequest, code: "not_found", told: "no request", entry: "code:" + signoff.ClosedCode},
		{door: "console", name: "a form without the session's token", do: byConsole("ana", field("csrf", "")), code: "http_403", told: "does not belong to your session", unseen: true},
		{door: "console", name: "a form of another page", do: byConsole("ana", field("request", "so-other")), code: "http_422", told: "Nothing was done", unseen: true},
		{door: "console", name: "a wrong check code", do: byConsole("ana", field("code", "0000-0000")), code: signoff.StaleDigest, told: "check code"},
		{door: "console", name: "nobody is signed in", do: notSignedIn, code: "http_401", told: "not signed in", unseen: true},
		{door: "console", name: "a link preview that follows the address", do: preview, code: "http_405", unseen: true},
	}
}

// twice does it once, which must count, and then again.
func twice(do func(context.Context, *kase) (heard, error)) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		first, err := do(ctx, c)
		if err != nil || first.code != accepted {
			return heard{}, errors.Join(errors.New("the first time was not accepted: "+first.code+" "+first.told), err)
		}
		c.approved = append(c.approved, "ana")
		return do(ctx, c)
	}
}

// twoDoors has ana approve at the API and in Slack at the same moment: one of the two fills the seat.
func twoDoors(ctx context.Context, c *kase) (heard, error) {
	var both sync.WaitGroup
	var api, slack heard
	var err1, err2 error
	both.Go(func() { api, err1 = byAPI("ana", nil)(ctx, c) })
	both.Go(func() { slack, err2 = byPayload(sandbox.UserAna, "ana", nil)(ctx, c) })
	both.Wait()
	c.approved = append(c.approved, "ana")
	v, all, err := c.now(ctx)
	if err := errors.Join(err1, err2, err); err != nil {
		return heard{}, err
	}
	if v.Filled != 1 {
		return heard{code: accepted, told: api.told + slack.told}, nil
	}
	for _, a := range all {
		if a.Code != "" {
			return heard{a.Code, a.Why}, nil
		}
	}
	// Both were written down before either had counted: the same update, answered once for both.
	return byAPI("ana", nil)(ctx, c)
}

// otherOpen approves one sign-off with the digest of another that is open beside it, which then gets its own people.
func otherOpen(ctx context.Context, c *kase) (heard, error) {
	other, err := c.begin(ctx, "end-key")
	if err != nil {
		return heard{}, err
	}
	got, err := byAPI("ana", func(_ *kase, b map[string]string) { b["digest"], b["code"] = other.view.Digest, other.view.Code })(ctx, c)
	return got, errors.Join(err, other.rightly(ctx, 0))
}

func noRequest(ctx context.Context, c *kase) (heard, error) {
	a, err := c.api(ctx, "ana", http.MethodPost, "/v1/signoffs/so-none/decisions", map[string]string{"verb": signoff.Approve, "code": c.view.Code})
	return ofProblem(a), err
}

func notSignedIn(ctx context.Context, c *kase) (heard, error) {
	a, err := c.form(ctx, browser(), "/signoffs/"+c.view.Request+"/decisions", url.Values{"request": {c.view.Request}, "verb": {signoff.Approve}, "code": {c.view.Code}})
	return heard{status(a), a.body}, err
}

// preview fetches the address at which decisions are posted, with everything that a form would hold, as software does that draws
// previews of links.
func preview(ctx context.Context, c *kase) (heard, error) {
	q := url.Values{"request": {c.view.Request}, "verb": {signoff.Approve}, "code": {c.view.Code}, "digest": {c.view.Digest}}
	a, err := c.api(ctx, "ana", http.MethodGet, "/v1/signoffs/"+c.view.Request+"/decisions?"+q.Encode(), nil)
	return heard{status(a), a.body}, err
}
