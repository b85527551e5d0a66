package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	onOthers  = "the world saw every key contained, and no other but those that replace one"
	onRuns    = "every acknowledged alert has its run, and every key only one"
	onFinals  = "every final call was made at most once"
	onCards   = "no final call before two people had approved a card that shows its key"
	onEnds    = "every run has ended, for people answer whatever they are asked"
	onPromise = "what a run says it did, the world saw: each key deleted and each secret replaced, once"
	onWhole   = "the ledger of every run is whole"
)

// turmoil is a chaos of two runs that went well; tests spoil it.
func turmoil() *weather {
	w := &weather{}
	see := func(t float64, e entry) {
		e.T, e.Actor = at(t), cmp.Or(e.Actor, responder)
		w.world = append(w.world, e)
	}
	for i := range 2 {
		key, secret, request, run := fmt.Sprintf("k%d", i), fmt.Sprintf("SECRET_%d", i), fmt.Sprintf("so-%d", i), fmt.Sprintf("run-%d", i)
		sent := sentLine{ID: fmt.Sprintf("a%d", i), Key: key, Status: 202, Said: "accepted", AlertID: fmt.Sprintf("al-%d", i)}
		again := sent
		again.Audit, again.Said = true, "duplicate"
		w.sent = append(w.sent, sent, again, sentLine{ID: sent.ID, Key: key, AlertID: sent.AlertID, Fate: "started"},
			sentLine{ID: "secret", Key: key, Secret: secret}, sentLine{ID: "card", Key: key, Shown: request},
			sentLine{ID: "run", Key: key, Run: run, State: "done", Outcome: "contained"}, sentLine{ID: "ledger", Key: key, Run: run, Ledger: "whole"})
		see(1, entry{Service: "apikeys", Method: "PATCH", Path: "/v2/keys/" + key, Key: key, Effect: "undoable", Status: 200})
		see(2, entry{Service: "apikeys", Method: "POST", Path: "/v2/projects/p/locations/global/keys", Key: "new" + key, Effect: "undoable", Status: 200})
		for n, who := range []string{"U0ANA", "U0BO"} {
			see(3+float64(n), entry{Service: "slack", Method: "PRESS", Path: request + "/approve", Actor: who, Effect: "press", Status: 202})
		}
		see(6, entry{Service: "github", Method: "PUT", Path: "/repos/acme/shop/actions/secrets/" + secret, Key: "new" + key, Effect: "final", Status: 204})
		see(7, entry{Service: "apikeys", Method: "DELETE", Path: "/v2/keys/" + key, Key: key, Effect: "final", Status: 200})
	}
	return w
}

// judged has the turmoil judged and lists what is red.
func (w *weather) judged(t *testing.T) (red []string, printed string) {
	t.Helper()
	dir := t.TempDir()
	var sent, world strings.Builder
	for _, l := range w.sent {
		sent.WriteString(asJSON(t, l) + "\n")
	}
	for _, e := range w.world {
		world.WriteString(asJSON(t, e) + "\n")
	}
	for name, text := range map[string]string{"sent": sent.String(), "world": world.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, talk strings.Builder
	run([]string{"--chaos", "--sent", filepath.Join(dir, "sent"), "--world", filepath.Join(dir, "world"), "--alerts", "2", "--keys", "2"}, &out, &talk)
	for line := range strings.Lines(out.String()) {
		if name, bad := strings.CutPrefix(line, "FAIL"); bad {
			red = append(red, strings.TrimSpace(name))
		}
	}
	return red, out.String() + talk.String()
}

func TestAChaosThatWentWellPasses(t *testing.T) {
	t.Parallel()
	orphan := func(w *weather) { // a key that an interrupted attempt left behind, deleted by the next one
		w.world = append(w.world, entry{T: at(5), Service: "apikeys", Method: "POST", Path: "/v2/projects/p/locations/global/keys", Actor: responder, Key: "orphan", Effect: "undoable", Status: 200},
			entry{T: at(5.1), Service: "apikeys", Method: "DELETE", Path: "/v2/keys/orphan", Actor: responder, Key: "orphan", Effect: "final", Status: 200})
	}
	for name, change := range map[string]func(*weather){
		"as told": func(*weather) {}, "with an orphan that was tidied up": orphan,
		"with a call that was refused": func(w *weather) { e := w.world[4]; e.Status = 503; w.world = append(w.world, e) },
	} {
		w := turmoil()
		change(w)
		if red, printed := w.judged(t); len(red) > 0 || !strings.Contains(printed, "pass") {
			t.Errorf("%s: red: %q\n%s", name, red, printed)
		}
	}
}

// Every case breaks one thing; the named checks, and no others, must go red.
func TestEveryFaultOfAChaosTurnsItsCheckRed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*weather)
		red    []string
	}{
		"nobody took it":              {func(w *weather) { w.sent[0].Status = 503 }, []string{onAcked, onLost}},
		"answered before it was kept": {func(w *weather) { w.sent[1].Said = "accepted" }, []string{onLost, onTwice}},
		"an alert without its run":    {func(w *weather) { w.sent[2].Fate = "set_aside" }, []string{onRuns}},
		"never contained":             {func(w *weather) { w.world[0].Status = 500 }, []string{onOthers}},
		"a stranger's key was changed": {func(w *weather) {
			e := w.world[0]
			e.Key = "k9"
			w.world = append(w.world, e)
		}, []string{onOthers}},
		"a secret replaced twice":           {func(w *weather) { w.world = append(w.world, w.world[4]) }, []string{onFinals, onPromise}},
		"a key deleted twice":               {func(w *weather) { w.world = append(w.world, w.world[5]) }, []string{onFinals, onPromise}},
		"one person approved":               {func(w *weather) { w.world[3].Actor = "U0ANA" }, []string{onCards}},
		"approved too late":                 {func(w *weather) { w.world[3].T = at(8) }, []string{onCards}},
		"one of them rejected":              {func(w *weather) { e := w.world[3]; e.Path = "so-0/reject"; e.T = at(5); w.world = append(w.world, e) }, []string{onCards}},
		"approved a card about another key": {func(w *weather) { w.sent[4].Key = "k1" }, []string{onCards}},
		"a run that goes on for ever":       {func(w *weather) { w.sent[5].State, w.sent[5].Outcome = "running", "" }, []string{onEnds}},
		"a run that failed":                 {func(w *weather) { w.sent[5].Outcome = "failed" }, []string{onEnds}},
		"no run at all":                     {func(w *weather) { w.sent = slices.Delete(w.sent, 5, 7) }, []string{onEnds}},
		"a receipt without a call":          {func(w *weather) { w.world[5].Status = 500 }, []string{onPromise}},
		"a damaged ledger":                  {func(w *weather) { w.sent[6].Ledger = "damaged at sequence 3" }, []string{onWhole}},
		"a ledger that nobody read":         {func(w *weather) { w.sent = slices.Delete(w.sent, 6, 7) }, []string{onWhole}},
	} {
		w := turmoil()
		c.change(w)
		if red, printed := w.judged(t); !slices.Equal(red, c.red) {
			t.Errorf("%s: red: %q, want %q\n%s", name, red, c.red, printed)
		}
	}
}
