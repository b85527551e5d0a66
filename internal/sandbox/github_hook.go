package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// GitHubHook is one webhook delivery about a secret-scanning alert of the sandbox.
type GitHubHook struct {
	Owner, Repo string
	Number      int
	Action      string // created, publicly_leaked, validated, reopened, resolved, …; "location" sends a location event
	Base        string // the address of this GitHub's API, as http://127.0.0.1:1234
	Delivery    string // X-GitHub-Delivery; made at random when empty
}

// SendAlert posts a signed webhook as GitHub would and returns status and body of the answer. Created comes without
// a sender and no alert carries its secret, as with the real one.
func (g *GitHub) SendAlert(ctx context.Context, target, hookSecret string, h GitHubHook) (status int, answer []byte, err error) {
	body, event, err := g.hookBody(h)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("the webhook's target is not a URL")
	}
	mac := hmac.New(sha256.New, []byte(hookSecret))
	_, _ = mac.Write(body)
	if h.Delivery == "" {
		h.Delivery = randomUUID()
	}
	for k, v := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/5a0b0c0", "X-GitHub-Event": event,
		"X-GitHub-Delivery": h.Delivery, "X-GitHub-Hook-ID": "12312312",
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, nil, fmt.Errorf("the webhook was not delivered: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	return resp.StatusCode, answer, err
}

func (g *GitHub) hookBody(h GitHubHook) ([]byte, string, error) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	r := g.repos[h.Owner+"/"+h.Repo]
	if r == nil || h.Number < 1 || h.Number > len(r.alerts) {
		return nil, "", fmt.Errorf("the sandbox has no alert %s/%s#%d", h.Owner, h.Repo, h.Number)
	}
	event, action := "secret_scanning_alert", h.Action
	m := map[string]any{
		"alert":      r.alertJSON(h.Base, h.Number),
		"repository": r.full(h.Base, g.seconds()),
	}
	if action == "location" {
		event, action = "secret_scanning_alert_location", "created"
		m["location"] = r.locationJSON(h.Base, h.Number)
	}
	m["action"] = action
	if action != "created" || event != "secret_scanning_alert" {
		m["sender"] = githubUser(h.Base, "github", "Organization")
	}
	body, err := json.Marshal(m)
	return body, event, err
}
