package e2e

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestNoSecretIsAnywhereAfterARunWithFaults(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	h.start(t)
	h.signIn(t)
	found := places{}
	stolen := s.Key.Secret()
	for name, answer := range careless(t, h, stolen) {
		found.put("error", name, answer)
	}
	// Each of these calls carries the stolen value, out or back, and its error is written down somewhere.
	s.World.Fault("github", sandbox.FaultGarbage, 1)
	s.World.Fault("apikeys", sandbox.FaultLost, 1)
	s.World.Fault("apikeys", http.StatusServiceUnavailable, 1)
	h.webhook(t, s.GitHubURL, s.AlertNumber)
	replace := s.signReplacement(t)
	second := s.slack.open(t, replace)
	s.World.Fault("gemini", sandbox.FaultLost, 1)
	for _, who := range []string{ana, bo} {
		s.slack.approve(t, who, second)
	}
	run := h.finished(t, 50*time.Second)
	fresh, _ := s.GitHub.Secret("example-org", "shop", "", "SHOP_GEMINI_KEY")
	if fresh == stolen || len(fresh) < 30 {
		t.Fatal("the dependents have no new key, so there is no second secret to look for")
	}
	found.slack(t, s)
	found.pages(t, h, run.ID, replace, second)
	for _, args := range [][]string{{"run", "show", run.ID}, {"run", "list", "-o", "json"}, {"run", "history", run.ID}, {"signoff", "show", replace}, {"config", "show"}} {
		found.put("command", strings.Join(args, " "), []byte(h.command(t, args...)))
	}
	h.serve.end(t)
	found.put("log", "serve", []byte(h.serve.err.String()+h.serve.out.String()))
	data := filepath.Join(h.dir, "data")
	found.files(t, data)
	found.rows(t, filepath.Join(data, "tourniquet.db"))
	found.payloads(t, data)
	nowhere(t, found, newSeeker(stolen, fresh))
	everywhere(t, found, newSeeker(run.ID, s.Key.ID))
}

// careless are requests by people who put a secret where it does not belong; the answers must not repeat it.
func careless(t *testing.T, h *product, secret string) map[string][]byte {
	t.Helper()
	answers := map[string][]byte{}
	for path, body := range map[string]string{
		"/v1/alerts/github":  `{"action":"created","alert":{"number":1,"secret":"` + secret + `"}}`,
		"/v1/alerts/generic": `{"kind":"key.leaked","key":"` + secret + `"`,
		"/v1/alerts/nobody":  secret,
		"/sign-in":           "token=" + secret,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if path == "/sign-in" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		req.Header.Set("X-GitHub-Event", "secret_scanning_alert")
		req.Header.Set("X-Hub-Signature-256", "sha256=00")
		resp, err := client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode < 400 {
			t.Fatalf("%s was answered %d (%v): %s", path, resp.StatusCode, err, answer)
		}
		answers[path] = answer
	}
	return answers
}

// nowhere wants no hit at all.
func nowhere(t *testing.T, where places, s *seeker) {
	t.Helper()
	total := 0
	for kind, list := range where {
		for name, data := range list {
			total += len(data)
			if hits := s.in(data); len(hits) > 0 {
				t.Errorf("%s %s holds %s (%d forms)", kind, name, hits[0], len(hits))
			}
		}
	}
	t.Logf("%d KiB were searched", total>>10)
}

// everywhere wants that the same search finds, in every kind of place, what is no secret: it looks where things are.
func everywhere(t *testing.T, where places, s *seeker) {
	t.Helper()
	least := map[string]int{"file": 4, "row": 100, "engine row": 100, "payload": 40, "page": 15, "slack": 2, "bundle": 1, "command": 5, "error": 4, "log": 1}
	for kind, n := range least {
		if len(where[kind]) < n {
			t.Errorf("only %d places of kind %q were searched", len(where[kind]), kind)
		}
	}
	for _, kind := range []string{"file", "row", "payload", "page", "slack", "bundle", "command"} {
		hits := 0
		for _, data := range where[kind] {
			hits += len(s.in(data))
		}
		if hits == 0 {
			t.Errorf("the search finds not even the id of the run in places of kind %q", kind)
		}
	}
}
