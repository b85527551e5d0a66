package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func status(a answer) string { return "http_" + strconv.Itoa(a.status) }

// slackDoors are presses that were bent on their way, over the socket and over HTTP.
func slackDoors() []attempt {
	const notOurs = "not on a message that Tourniquet knows"
	outside := func(name string, change func(map[string]any), sign func(*house) func(http.Header, []byte), query string) attempt {
		return attempt{door: "slack http", name: name, code: "http_401", told: "not authenticated", unseen: true,
			do: func(ctx context.Context, c *kase) (heard, error) {
				by := c.genuinely
				if sign != nil {
					by = sign(c.house)
				}
				a, err := c.post(ctx, c.submission(sandbox.UserAna, c.at(), change), by, query)
				return heard{status(a), a.body}, err
			}}
	}
	return []attempt{
		{door: "slack socket", name: "the digest of other calls in the modal", do: byPayload(sandbox.UserAna, "ana", func(_ *kase, at *route) { at.Digest = "sha256:0" }),
			code: signoff.StaleDigest, told: "check code"},
		{door: "slack socket", name: "another request behind the button of this card", do: otherBehind, code: signoff.WrongRequest, told: notOurs},
		{door: "slack socket", name: "a card that another app posted", do: byPayload(sandbox.UserAna, "ana", func(c *kase, at *route) { at.TS = c.lookAlike() }),
			code: signoff.WrongRequest, told: notOurs},
		{door: "slack socket", name: "a card in another channel", do: byPayload(sandbox.UserAna, "ana", func(_ *kase, at *route) { at.Channel = "C0ELSEWHERE" }),
			code: signoff.WrongRequest, told: notOurs},
		outside("a forged signature", nil, func(h *house) func(http.Header, []byte) {
			return func(header http.Header, body []byte) {
				h.genuinely(header, body)
				header.Set("X-Slack-Signature", "v0=0000000000000000000000000000000000000000000000000000000000000000")
			}
		}, ""),
		outside("a timestamp of ten minutes ago", nil, func(h *house) func(http.Header, []byte) {
			return func(header http.Header, body []byte) { h.Slack.Sign(header, body, time.Now().Add(-10*time.Minute)) }
		}, ""),
		outside("a payload in the query", nil, nil, "payload=%7B%7D"),
		outside("another workspace", func(p map[string]any) { p["team"] = map[string]any{"id": "T0ELSEWHERE"} }, nil, ""),
		outside("another app", func(p map[string]any) { p["api_app_id"] = "A0ELSEWHERE" }, nil, ""),
		{door: "slack http", name: "a body sent again", do: replayed, code: "http_401", told: "not authenticated", unseen: true},
		{door: "slack http", name: "the person who started the run, signed by Slack", do: func(ctx context.Context, c *kase) (heard, error) {
			a, err := c.post(ctx, c.submission(userSam, c.at(), nil), c.genuinely, "")
			if err != nil {
				return heard{}, err
			}
			code, err := c.last(ctx, "sam")
			return heard{code, a.body}, err
		}, code: signoff.ExcludedCode, told: "may not decide"},
		slackAnswers("Slack answers 500 when it is asked who that is", http.StatusInternalServerError),
		slackAnswers("Slack answers 429 when it is asked who that is", http.StatusTooManyRequests),
		slackAnswers("Slack answers nonsense when it is asked who that is", sandbox.FaultGarbage),
	}
}

// otherBehind puts this request into the modal of another card, which asks about something else.
func otherBehind(ctx context.Context, c *kase) (heard, error) {
	other, err := c.begin(ctx, "end-key")
	if err != nil {
		return heard{}, err
	}
	card := other.at()
	got, err := byPayload(sandbox.UserAna, "ana", func(_ *kase, at *route) { at.Channel, at.TS = card.Channel, card.TS })(ctx, c)
	return got, errors.Join(err, other.rightly(ctx, 0))
}

// lookAlike is the ts of a message that looks like the card and was posted by another app.
func (c *kase) lookAlike() string {
	m := c.card(c.view.Request)
	return c.Slack.PostAs("Some other app", m.Channel, m.Text, m.Blocks)
}

// replayed sends a genuine body of ana twice.
func replayed(ctx context.Context, c *kase) (heard, error) {
	payload := c.submission(sandbox.UserAna, c.at(), nil)
	at := time.Now()
	sign := func(header http.Header, body []byte) { c.Slack.Sign(header, body, at) }
	first, err := c.post(ctx, payload, sign, "")
	if err != nil || first.status != http.StatusOK {
		return heard{status(first), first.body}, errors.Join(errors.New("the first time was not taken"), err)
	}
	c.approved = append(c.approved, "ana")
	a, err := c.post(ctx, payload, sign, "")
	return heard{status(a), a.body}, err
}

// slackAnswers lets Slack misbehave while a member decides whom nobody has looked up for a second.
func slackAnswers(name string, fault int) attempt {
	return attempt{door: "api", name: name, code: "unavailable", told: "could not be checked just now", do: func(ctx context.Context, c *kase) (heard, error) {
		if err := c.stale(ctx); err != nil {
			return heard{}, err
		}
		c.World.Fault("slack", fault, 1000)
		defer c.World.Mend("slack")
		return byAPI("cy", nil)(ctx, c)
	}}
}

// stale waits until no look at people is believed any more.
func (h *house) stale(ctx context.Context) error {
	timer := time.NewTimer(1100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
