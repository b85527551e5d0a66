package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
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
	good := apitest.Target{URL: h.url, Token: h.token, IDs: ids, Seed: 11, Each: 12}.Run(t)
	for _, op := range []string{"listRuns", "getRun", "getHistory", "getEvidence", "getSignoff", "noteRun", "listPlaybooks", "listActions", "getHold", "listSilences", "getWatch"} {
		if good[op] == 0 {
			t.Errorf("no request to %q was answered well, so this test says nothing of it", op)
		}
	}
}
