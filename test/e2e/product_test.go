package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/freeport"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// The people of the stage, by their Slack ids.
const (
	ana = sandbox.UserAna
	bo  = sandbox.UserBo
	lee = sandbox.UserLee
)

// product is a folder with a configuration, and the serve that runs in it.
type product struct {
	program, dir, url, token string
	serve                    *process
	browser                  *http.Client // signed in to the console; nil: a client with the token
}

func (h *product) config() string { return filepath.Join(h.dir, "tourniquet.yaml") }

// start runs serve until it says that it is ready, and says when that was.
func (h *product) start(t *testing.T, env ...string) time.Time {
	t.Helper()
	h.serve = launch(t, h.program, append(env, "TOURNIQUET_LOG=debug"), "serve", "--config", h.config())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(h.story(t))
		}
	})
	return h.serve.ready(t)
}

// command runs one command to its end and returns what it printed.
func (h *product) command(t *testing.T, args ...string) string {
	t.Helper()
	p := launch(t, h.program, []string{"TOURNIQUET_TOKEN=" + h.token}, append([]string{"--config", h.config()}, args...)...)
	p.wait(t, 30*time.Second)
	if p.failure != nil {
		t.Fatalf("tourniquet %s: %v\n%s", strings.Join(args, " "), p.failure, p.err)
	}
	return p.out.String()
}

// signIn makes a personal token for ana, with which the test reads what people may read.
func (h *product) signIn(t *testing.T) {
	t.Helper()
	h.token = strings.TrimSpace(h.command(t, "person", "token", "--for", "ana", "--issued-by", "lee"))
}

// get reads one address as ana.
func (h *product) get(t *testing.T, path string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, h.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	by := h.browser
	if by == nil {
		by = client()
	}
	if h.token != "" && strings.HasPrefix(path, "/v1/") {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	resp, err := by.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// read is get for JSON.
func (h *product) read(t *testing.T, path string, into any) {
	t.Helper()
	status, body := h.get(t, path)
	if status != http.StatusOK {
		t.Fatalf("%s was answered %d: %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// runRow is what the list of runs says.
type runRow struct{ ID, State, Outcome string }

func (h *product) onlyRun(t *testing.T) (runRow, error) {
	t.Helper()
	var all struct{ Items []runRow }
	h.read(t, "/v1/runs", &all)
	if len(all.Items) != 1 {
		return runRow{}, fmt.Errorf("there are %d runs, one is wanted", len(all.Items))
	}
	return all.Items[0], nil
}

// finished waits for the end of the only run and wants it contained.
func (h *product) finished(t *testing.T, within time.Duration) runRow {
	t.Helper()
	var run runRow
	eventually(t, within, func() (err error) {
		if run, err = h.onlyRun(t); err == nil && run.State != "done" {
			err = fmt.Errorf("run %s is %s", run.ID, run.State)
		}
		return err
	})
	if run.Outcome != "contained" {
		t.Fatalf("the run ended %q, contained is wanted", run.Outcome)
	}
	return run
}

// story is what the product tells of its runs, for a test that failed.
func (h *product) story(t *testing.T) string {
	t.Helper()
	if h.serve == nil || h.serve.ended() {
		return "serve does not run any more"
	}
	run, err := h.onlyRun(t)
	if err != nil {
		return err.Error()
	}
	_, timeline := h.get(t, "/v1/runs/"+run.ID+"/timeline")
	_, history := h.get(t, "/v1/runs/"+run.ID+"/history")
	return string(timeline) + "\n" + string(history)
}

// decided is how many approvals a request has.
func (h *product) decided(t *testing.T, request string) int {
	t.Helper()
	var v struct {
		View struct {
			Filled int `json:"filled"`
		} `json:"view"`
	}
	h.read(t, "/v1/signoffs/"+request, &v)
	return v.View.Filled
}

// webhook posts a secret-scanning alert as GitHub would, signed with the secret that the operator keeps in a file.
func (h *product) webhook(t *testing.T, github string, number int) {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(h.dir, "secrets", "github-hook"))
	if err != nil {
		t.Fatal(err)
	}
	api := fmt.Sprintf("%s/repos/example-org/shop", github)
	body, err := json.Marshal(map[string]any{
		"action": "created",
		"alert": map[string]any{
			"number": number, "url": fmt.Sprintf("%s/secret-scanning/alerts/%d", api, number),
			"html_url":   fmt.Sprintf("%s/example-org/shop/security/secret-scanning/%d", github, number),
			"created_at": time.Now().UTC().Format(time.RFC3339), "updated_at": nil, "resolution": nil,
			"secret_type": "google_api_key", "secret_type_display_name": "Google API Key", "publicly_leaked": true, "validity": "unknown",
		},
		"repository": map[string]any{"id": 1, "name": "shop", "full_name": "example-org/shop", "url": api, "owner": map[string]any{"login": "example-org"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write(body)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/alerts/github", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "secret_scanning_alert", "X-GitHub-Delivery": t.Name(),
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	resp, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("the webhook was answered %d: %s", resp.StatusCode, answer)
	}
}

// freeAddress is a loopback address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := freeport.Free()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
