package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// Design: a parked run takes a decision within two seconds after the restarted server says ready.
const soon = 2 * time.Second

func TestServeSurvivesKill9DuringTheSignoff(t *testing.T) {
	t.Parallel()
	h := &product{program: built(t, shop.honest), dir: t.TempDir()}
	turn(t)
	listen := freeAddress(t)
	h.url = "http://" + listen
	log := filepath.Join(h.dir, "world.jsonl")
	world := launch(t, h.program, nil, "sandbox", "--dir", h.dir, "--serve-at", listen, "--world-log", log, "-o", "json")
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
	slack := page{stage.Slack}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(told(readWorld(t, log)))
		}
	})
	h.start(t)
	h.signIn(t)
	h.webhook(t, stage.GitHub, stage.Alert)
	slack.answer(t, ana, "abuse")
	replace := slack.open(t)
	slack.approve(t, ana, replace)
	eventually(t, 10*time.Second, func() error { return h.has(t, replace, 1) })

	h.serve.kill9()
	ready := h.start(t)
	slack.approve(t, lee, replace)
	eventually(t, 10*time.Second, func() error { return h.has(t, replace, 2) })
	if took := time.Since(ready); took > soon {
		t.Errorf("the decision counted %s after serve said ready; %s is the most", took, soon)
	} else {
		t.Logf("the decision counted %s after serve said ready", took.Round(time.Millisecond))
	}

	slack.approve(t, bo, replace)

	revoke := slack.open(t, replace)
	h.serve.kill9()
	h.start(t)
	for n, who := range []string{ana, bo} {
		h.persuaded(t, slack, who, revoke, n+1)
	}
	h.finished(t, 40*time.Second)
	h.serve.end(t)
	rightly(t, readWorld(t, log), replace, revoke)
}

// persuaded has somebody press until it counts. A card whose post was obeyed while we were killed before we could write that down
// is none of ours: what is pressed on it is refused with a sentence, another card comes, and people press there.
func (h *product) persuaded(t *testing.T, slack page, who, request string, seats int) {
	t.Helper()
	looks := 0
	eventually(t, time.Minute, func() error {
		if looks++; looks%50 == 1 { // about once a second
			slack.approve(t, who, request)
		}
		return h.has(t, request, seats)
	})
}

// has says whether a request has this many seats filled.
func (h *product) has(t *testing.T, request string, seats int) error {
	t.Helper()
	if n := h.decided(t, request); n < seats {
		return fmt.Errorf("%s has %d seats filled, %d are wanted", request, n, seats)
	}
	return nil
}
