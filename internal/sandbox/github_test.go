package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestGitHubSignsItsWebhookAndKeepsTheSecretOutOfIt(t *testing.T) {
	t.Parallel()
	hub := sandbox.NewWorld(sandbox.Options{}).GitHub()
	secret := strings.Repeat("made-in-a-test-", 3)
	n := hub.AddAlert("acme", "shop", "google_api_key", secret, "app.env")
	var got http.Header
	var body []byte
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer door.Close()
	status, _, err := hub.SendAlert(context.Background(), door.URL, "hook", sandbox.GitHubHook{
		Owner: "acme", Repo: "shop", Number: n, Action: "created", Base: "http://127.0.0.1:1",
	})
	if err != nil || status != http.StatusAccepted {
		t.Fatalf("%d, %v", status, err)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	if _, has := m["sender"]; has {
		t.Error("created must come without a sender")
	}
	if strings.Contains(string(body), secret) || strings.Contains(string(m["alert"]), `"state"`) {
		t.Error("the webhook carries secret or state")
	}
	if got.Get("X-GitHub-Event") != "secret_scanning_alert" || !strings.HasPrefix(got.Get("X-Hub-Signature-256"), "sha256=") {
		t.Errorf("headers %v", got)
	}
}

func TestGitHubRefusesAWrongTokenWithItsOwnErrorBody(t *testing.T) {
	t.Parallel()
	w := sandbox.NewWorld(sandbox.Options{})
	srv := httptest.NewServer(w.GitHub())
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/repos/acme/shop/issues")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var e struct{ Message, Status string }
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil || resp.StatusCode != http.StatusUnauthorized || e.Message != "Bad credentials" {
		t.Errorf("%d %+v %v", resp.StatusCode, e, err)
	}
	if log := w.Entries(); len(log) != 1 || log[0].Effect != "" || log[0].Status != http.StatusUnauthorized {
		t.Errorf("world log %+v", log)
	}
}
