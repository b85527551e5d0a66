package slack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (tn *town) submission(t *testing.T, team, app string) string {
	t.Helper()
	meta, err := json.Marshal(map[string]any{"request": "sr_7f3a", "digest": "sha256:4b1d9c07e2", "verb": "approve", "channel": tn.creds.Channel, "ts": "1.000001"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"type": "view_submission", "team": map[string]string{"id": team}, "api_app_id": app,
		"user": map[string]string{"id": "U0KIM"}, "view": map[string]any{"id": "V1", "callback_id": "tourniquet_approve", "private_metadata": string(meta)}})
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"payload": {string(raw)}}.Encode()
}

func (tn *town) knock(t *testing.T, query, body string, sign func(http.Header)) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tn.door+"/interactions"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sign(req.Header)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(said)
}

func TestWhoeverIsNotSlackGetsTheSame401(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	body := tn.submission(t, tn.creds.Team, tn.creds.App)
	now := time.Now()
	signed := func(b string, at time.Time) func(http.Header) {
		return func(h http.Header) { tn.slack.Sign(h, []byte(b), at) }
	}
	upper := func(h http.Header) {
		signed(body, now)(h)
		h.Set("X-Slack-Signature", "v0="+strings.ToUpper(strings.TrimPrefix(h.Get("X-Slack-Signature"), "v0=")))
	}
	if status, said := tn.knock(t, "", body, signed(body, now)); status != http.StatusOK {
		t.Fatalf("a true request was refused: %d %s", status, said)
	}
	foreign, otherApp := tn.submission(t, "T0OTHER", tn.creds.App), tn.submission(t, tn.creds.Team, "A0OTHER")
	empty := ""
	for name, try := range map[string]struct {
		query, body string
		sign        func(http.Header)
	}{
		"unsigned":               {"", body, func(http.Header) {}},
		"forged":                 {"", body, func(h http.Header) { signed(body, now)(h); h.Set("X-Slack-Signature", "v0="+strings.Repeat("ab", 32)) }},
		"signature of a body":    {"", body + "&x=1", signed(body, now)},
		"old":                    {"", body, signed(body, now.Add(-6*time.Minute))},
		"from the future":        {"", body, signed(body, now.Add(6*time.Minute))},
		"replayed":               {"", body, signed(body, now)},
		"replayed in other case": {"", body, upper},
		"payload in the query":   {"?" + body, empty, signed(empty, now)},
		"query beside the body":  {"?" + body, foreign, signed(foreign, now)},
		"another workspace":      {"", foreign, signed(foreign, now)},
		"another app":            {"", otherApp, signed(otherApp, now)},
	} {
		status, said := tn.knock(t, try.query, try.body, try.sign)
		if status != http.StatusUnauthorized || said != "not authenticated\n" {
			t.Errorf("%s: got %d %q", name, status, said)
		}
	}
	if got := tn.desk.all(); len(got) != 1 {
		t.Errorf("the desk saw %d presses, want the true one alone", len(got))
	}
}

func TestAnEndlessBodyIsRefused(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	body := "payload=" + strings.Repeat("x", 1<<20)
	status, _ := tn.knock(t, "", body, func(h http.Header) { tn.slack.Sign(h, []byte(body), time.Now()) })
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("got status %d", status)
	}
}

func TestNoGetChangesAnything(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tn.door+"/interactions?"+tn.submission(t, tn.creds.Team, tn.creds.App), nil)
	if err != nil {
		t.Fatal(err)
	}
	tn.slack.Sign(req.Header, nil, time.Now())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || len(tn.desk.all()) != 0 {
		t.Errorf("got status %d and presses %v", res.StatusCode, tn.desk.all())
	}
}
