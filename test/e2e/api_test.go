package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/api/apitest"
)

// TestTheRunningServerAnswersAsItsDescriptionSays makes up requests, good and hostile, from /v1/openapi.json while a run waits for
// people, and holds every answer of the real serve against the document. No answer may be a failure of the server.
func TestTheRunningServerAnswersAsItsDescriptionSays(t *testing.T) {
	t.Parallel()
	h := &product{program: built(t, shop.honest), dir: t.TempDir()}
	turn(t)
	listen := freeAddress(t)
	h.url = "http://" + listen
	world := launch(t, h.program, nil, "sandbox", "--dir", h.dir, "--serve-at", listen, "--world-log", filepath.Join(h.dir, "world.jsonl"), "-o", "json")
	var stage struct {
		GitHub, Slack string
		Alert         int
	}
	eventually(t, 20*time.Second, func() error {
		if err := json.Unmarshal([]byte(world.out.String()), &stage); err != nil {
			return fmt.Errorf("the sandbox does not say where it is: %w", err)
		}
		return nil
	})
	h.start(t)
	h.signIn(t)
	h.webhook(t, stage.GitHub, stage.Alert)
	page{stage.Slack}.answer(t, ana, "abuse")
	request := page{stage.Slack}.open(t)
	run, err := h.onlyRun(t)
	if err != nil {
		t.Fatal(err)
	}
	runs, signoffs := []string{run.ID}, []string{request}
	ids := map[string][]string{"/v1/signoffs/{id}": signoffs, "/v1/signoffs/{id}/decisions": signoffs, "/v1/alerts/{id}": {"github", "generic"}}
	for _, part := range []string{"", "/timeline", "/report", "/evidence", "/refund", "/history", "/note", "/review", "/cancel"} {
		ids["/v1/runs/{id}"+part] = runs
	}
	h.everyPage(t, run.ID, request)
	good := apitest.Target{URL: h.url, Token: h.token, IDs: ids, Seed: 11, Each: 12}.Run(t)
	for _, op := range []string{"listRuns", "getRun", "getHistory", "getEvidence", "getSignoff", "noteRun", "listPlaybooks", "listActions", "getHold", "listSilences", "getWatch"} {
		if good[op] == 0 {
			t.Errorf("no request to %q was answered well, so this test says nothing of it", op)
		}
	}
}

// everyPage signs in to the console as a person does and wants every page of the real house.
func (h *product) everyPage(t *testing.T, run, request string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	res, err := c.PostForm(h.url+"/sign-in", url.Values{"token": {h.token}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for path, want := range map[string]string{
		"/": "Waiting for people", "/signoffs": "Open", "/signoffs/" + request: "Type the check code", "/runs": run, "/runs/" + run: "Still open", "/runs/" + run + "/history": "WorkflowExecutionStarted",
		"/runs/" + run + "/history?step=first_minute/stop_the_spend/contain": "key.contain", "/runs/" + run + "/step?path=identify": "key.identify", "/alerts": "github", "/keys": "gemini", "/playbooks": "llmjacking",
		"/playbooks/llmjacking": "<svg", "/actions": "key.revoke",
	} {
		res, err := c.Get(h.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s is answered %d and does not say %q", path, res.StatusCode, want)
		}
		if path == "/runs/"+run && !strings.Contains(string(body), "is-done") {
			t.Error("the page of the run does not show the road through its playbook")
		}
	}
}
