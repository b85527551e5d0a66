package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// route is what a button or a modal of the app carries, as anybody can read it.
type route struct {
	Request string `json:"request"`
	Digest  string `json:"digest,omitempty"`
	Verb    string `json:"verb"`
	Answer  string `json:"answer,omitempty"`
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
}

func (r route) String() string {
	raw, _ := json.Marshal(r) // strings only
	return string(raw)
}

type element struct {
	Type     string
	ActionID string `json:"action_id"`
	Value    string
}

// buttons are those of a message or a modal.
func buttons(raw json.RawMessage) (out []element) {
	var blocks []struct {
		Type     string
		Elements []element
	}
	_ = json.Unmarshal(raw, &blocks) // rich text has elements of another shape and no buttons
	for _, b := range blocks {
		if b.Type == "actions" {
			out = append(out, b.Elements...)
		}
	}
	return out
}

func routeOf(text string) (r route) {
	_ = json.Unmarshal([]byte(text), &r) // what is no route has no verb
	return r
}

// card is the message that shows a request, with its review button.
func (h *house) card(request string) *sandbox.SlackMessage {
	for _, m := range h.Slack.Messages() {
		for _, b := range buttons(m.Blocks) {
			if m.For == "" && routeOf(b.Value).Request == request {
				return &m
			}
		}
	}
	return nil
}

// review goes the way of a person in Slack: press, read every page, submit. It returns what they were told.
func (c *kase) review(ctx context.Context, user, verb, reason string) (string, error) {
	press := map[string]string{"approve": "review", "reject": "reject_form"}[verb]
	m := c.card(c.view.Request)
	if m == nil {
		return "", fmt.Errorf("there is no card of %s", c.view.Request)
	}
	for _, b := range buttons(m.Blocks) {
		if routeOf(b.Value).Verb == press {
			if err := c.Slack.Press(ctx, user, m.Channel, m.TS, b.ActionID); err != nil {
				return "", err
			}
		}
	}
	var told string
	for hash := ""; ; {
		v, err := c.modal(ctx, user, hash)
		if err != nil {
			return "", err
		}
		var body struct {
			Submit json.RawMessage
			Blocks json.RawMessage
		}
		if err := json.Unmarshal(v.Content, &body); err != nil {
			return "", err
		}
		if body.Submit != nil {
			if err := c.Slack.Submit(ctx, user, v.ID, map[string]map[string]string{"reason": {"reason": reason}}); err != nil {
				return "", err
			}
			told, err = c.shown(ctx, user)
			return told, err
		}
		hash = v.Hash
		next := buttons(body.Blocks)
		if len(next) == 0 {
			return words(v.Content), nil
		}
		if err := c.Slack.PressInView(ctx, user, v.ID, next[len(next)-1].ActionID); err != nil {
			return "", err
		}
	}
}

// modal waits for a modal about the request whose hash is another than before.
func (c *kase) modal(ctx context.Context, user, before string) (found sandbox.SlackView, err error) {
	err = until(ctx, 5*time.Second, func() error {
		for _, v := range c.Slack.Views() {
			var body struct {
				Metadata string `json:"private_metadata"`
			}
			if json.Unmarshal(v.Content, &body) == nil && v.User == user && v.Hash != before && routeOf(body.Metadata).Request == c.view.Request {
				found = v
				return nil
			}
		}
		return fmt.Errorf("no modal opened for %s", user)
	})
	return found, err
}

// shown is what the modal says after it was submitted.
func (c *kase) shown(ctx context.Context, user string) (told string, err error) {
	err = until(ctx, 6*time.Second, func() error {
		for _, v := range c.Slack.Views() {
			if text := words(v.Content); v.User == user && (strings.Contains(text, "Recorded") || strings.Contains(text, "Not counted")) {
				told = text
				return nil
			}
		}
		return fmt.Errorf("the modal of %s says nothing about what became of it", user)
	})
	return told, err
}

// whispered is the last thing that the app told somebody privately, after entry number n.
func (h *house) whispered(ctx context.Context, user string, n int) (told string, err error) {
	err = until(ctx, 5*time.Second, func() error {
		all := h.Slack.Messages()
		for i := len(all) - 1; i >= n; i-- {
			if all[i].For == user || all[i].Channel == "D"+user[1:] {
				told = words(all[i].Blocks)
				return nil
			}
		}
		return fmt.Errorf("nobody told %s anything", user)
	})
	return told, err
}

// words are all texts in a piece of JSON, in order.
func words(raw json.RawMessage) string {
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			for _, name := range []string{"title", "text", "elements", "blocks"} {
				if e, ok := x[name]; ok {
					walk(e)
				}
			}
		case []any:
			for _, e := range x {
				walk(e)
			}
		case string:
			out = append(out, x)
		}
	}
	var v any
	if json.Unmarshal(raw, &v) == nil {
		walk(v)
	}
	return strings.Join(out, " ")
}

// submission is the payload of a submitted modal as Slack makes it, for whatever route somebody puts into it.
func (h *house) submission(user string, at route, change func(map[string]any)) []byte {
	c := h.Slack.Credentials()
	p := map[string]any{
		"type": "view_submission", "team": map[string]any{"id": c.Team, "domain": "sandbox"}, "api_app_id": c.App, "token": "none",
		"user": map[string]any{"id": user, "username": "x", "team_id": c.Team}, "trigger_id": "1.1.x", "enterprise": nil, "response_urls": []any{},
		"view": map[string]any{
			"id": "V0MADEUP", "hash": "1.x", "type": "modal", "team_id": c.Team, "app_id": c.App, "callback_id": "tourniquet_" + at.Verb,
			"private_metadata": at.String(), "title": map[string]any{"type": "plain_text", "text": "x"}, "blocks": []any{},
			"state": map[string]any{"values": map[string]any{"reason": map[string]any{"reason": map[string]any{"type": "plain_text_input", "value": "because"}}}},
		},
	}
	if change != nil {
		change(p)
	}
	raw, _ := json.Marshal(p) // maps of plain values
	return raw
}

// at is the route of a genuine approval of the case's request.
func (c *kase) at() route {
	m := c.card(c.view.Request)
	return route{Request: c.view.Request, Digest: c.view.Digest, Verb: "approve", Channel: m.Channel, TS: m.TS}
}

// post sends a payload to the HTTP door; sign may put the wrong headers on.
func (h *house) post(ctx context.Context, payload []byte, sign func(http.Header, []byte), query string) (answer, error) {
	body := []byte(url.Values{"payload": {string(payload)}}.Encode())
	if query != "" {
		query = "?" + query
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/v1/slack/interactions"+query, strings.NewReader(string(body)))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sign(req.Header, body)
	return send(browser(), req)
}

// genuinely signs as Slack does, now.
func (h *house) genuinely(header http.Header, body []byte) { h.Slack.Sign(header, body, time.Now()) }

// inject hands a payload to the app over the socket; told is what its modal then says.
func (h *house) inject(ctx context.Context, payload []byte) (told string, err error) {
	ack, err := h.Slack.Inject(ctx, payload)
	if err != nil {
		return "", err
	}
	var v struct{ View json.RawMessage }
	if err := json.Unmarshal(ack, &v); err != nil || v.View == nil {
		return "", errors.Join(fmt.Errorf("the app answered a submission with %q", ack), err)
	}
	return words(v.View), nil
}
