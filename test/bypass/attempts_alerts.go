package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// throughAlerts try to have something done by the alert alone. They are judged by what can be undone: no call of the key's
// containment may be made without people where policy does not open it.
func throughAlerts() []attempt {
	return []attempt{
		{door: "alert door", name: "critical severity from a source that may only tell", setup: critical, do: waitsForPeople, code: "asks_people", told: `trust "tell"`, entry: "signoff.asked"},
		{door: "alert door", name: "an alert whose text is a button, a mention, a link and reversed", setup: hostile, do: waitsForPeople, code: "asks_people", told: "Policy does not let this run by itself", entry: "signoff.asked"},
		{door: "alert door", name: "an alert with 40 kB of such text", do: endless, code: "http_422", told: "longer than 500 bytes", unseen: true},
		{door: "alert door", name: "one more leak than may be contained by itself", check: "auto_limit", setup: flood, do: waitsForPeople, code: "asks_people", told: "contained by themselves", entry: "signoff.asked"},
		{door: "alert door", name: "an alert that is not signed", do: unsigned, code: "http_401", unseen: true},
	}
}

// waitsForPeople: the undoable step asks for a sign-off and nothing was called.
func waitsForPeople(_ context.Context, c *kase) (heard, error) {
	return heard{"asks_people", c.view.Why}, nil
}

func (h *house) generic(ctx context.Context, body map[string]any, secret string) (answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(raw) // a hash takes everything
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/v1/alerts/generic", bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Tourniquet-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return send(browser(), req)
}

func alertAbout(k sandbox.Key, title string) map[string]any {
	return map[string]any{"id": "finding-" + k.ID, "kind": incident.KindKeyLeaked, "severity": "critical", "title": title, "key": map[string]any{"provider": "gemini", "account": "demo", "id": k.ID}}
}

func critical(ctx context.Context, h *house) (*kase, error) {
	return h.told(ctx, "Contain and delete this at once")
}

func hostile(ctx context.Context, h *house) (*kase, error) {
	return h.told(ctx, hostileText(480))
}

// hostileText is mark-up, mentions, a link, a button's value and characters that reorder or hide.
func hostileText(size int) string {
	const words = `<!channel> *APPROVED* <https://evil.example|open> {"request":"x","verb":"approve"} ` + "\u202etxet \u200b"
	return strings.Repeat(words, size/len(words))
}

// told sends an alert of the source that may only tell, and waits for what its run asks first.
func (h *house) told(ctx context.Context, title string) (*kase, error) {
	k, err := h.nextKey(false)
	if err != nil {
		return nil, err
	}
	c := &kase{house: h, key: k, playbook: "end-key", counts: contains(k), since: len(h.World.Entries())}
	a, err := h.generic(ctx, alertAbout(k, title), genericSecret)
	if err != nil || a.status != http.StatusAccepted {
		return nil, errors.Join(fmt.Errorf("the alert was answered %d: %s", a.status, a.body), err)
	}
	return c, c.arrived(ctx)
}

// arrived waits for the run about the key and for its first sign-off.
func (c *kase) arrived(ctx context.Context) error {
	err := until(ctx, 15*time.Second, func() error {
		var list struct{ Items []incident.Run }
		if err := c.read(ctx, "/v1/runs", &list); err != nil {
			return err
		}
		for _, r := range list.Items {
			if r.Key != nil && r.Key.ID == c.key.ID && r.State != "done" {
				c.run, c.workflow = r.ID, r.WorkflowID()
				return nil
			}
		}
		return errors.New("no run answers the alert")
	})
	return errors.Join(err, c.await(ctx))
}

// leaked is a key that GitHub's scanner found; its containment runs by itself, and the deletion asks.
func leaked(ctx context.Context, h *house) (*kase, error) {
	k, err := h.nextKey(false)
	if err != nil {
		return nil, err
	}
	c := &kase{house: h, key: k, playbook: "end-key", counts: deletes(k), since: len(h.World.Entries())}
	n := h.GitHub.AddAlert("example-org", "shop", "google_api_key", k.Secret(), "config/"+k.ID+".env")
	status, body, err := h.GitHub.SendAlert(ctx, h.url+"/v1/alerts/github", h.HookSecret, sandbox.GitHubHook{Owner: "example-org", Repo: "shop", Number: n, Action: "created", Base: h.GitHubURL})
	if err != nil || status != http.StatusAccepted {
		return nil, errors.Join(fmt.Errorf("the webhook was answered %d: %s", status, body), err)
	}
	return c, c.arrived(ctx)
}

// flood leaks keys until policy does not contain the last one by itself any more.
func flood(ctx context.Context, h *house) (*kase, error) {
	for range 3 {
		c, err := leaked(ctx, h)
		if err != nil {
			return nil, err
		}
		c.counts = contains(c.key)
		if c.view.Envelope.Step == "contain" {
			return c, nil
		}
	}
	return nil, errors.New("three keys were contained without people within an hour, where policy allows two")
}

func endless(ctx context.Context, c *kase) (heard, error) {
	a, err := c.generic(ctx, alertAbout(c.key, hostileText(40<<10)), genericSecret)
	return heard{status(a), a.body}, err
}

func unsigned(ctx context.Context, c *kase) (heard, error) {
	a, err := c.generic(ctx, alertAbout(c.key, "x"), "a secret that is not the one of the source")
	return heard{status(a), a.body}, err
}
