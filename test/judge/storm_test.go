package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	onAcked   = "every alert was acknowledged"
	onLost    = "nothing that was acknowledged was lost"
	onTwice   = "nothing was taken as new twice"
	onFates   = "every alert started a run or joined one, and every key started one"
	onKeys    = "the world saw every key contained, and no other"
	onTickets = "the world saw one ticket for each key"
	onTime    = "the answers came in time"
)

// weather is a storm of 40 alerts about 4 keys that went well; tests spoil it.
type weather struct {
	sent  []sentLine
	world []entry
}

func calm() *weather {
	w := &weather{}
	for i := range 40 {
		l := sentLine{MS: 10, ID: fmt.Sprintf("a%02d", i), Key: fmt.Sprintf("k%d", i%4), Status: 202, Said: "accepted", AlertID: fmt.Sprintf("al-%02d", i)}
		w.sent = append(w.sent, l)
		fate, again := l, l
		fate.Status, fate.Said, fate.Fate = 0, "", "joined"
		if i < 4 {
			fate.Fate = "started"
		}
		again.Audit, again.Said = true, "duplicate"
		w.sent = append(w.sent, fate, again)
	}
	for i := range 4 {
		w.world = append(w.world, entry{T: at(float64(i)), Service: "apikeys", Method: "PATCH", Path: "/x", Actor: responder, Key: fmt.Sprintf("k%d", i), Effect: "undoable", Status: 200},
			entry{T: at(float64(i)), Service: "github", Method: "POST", Path: "/repos/acme/incidents/issues", Actor: responder, Effect: "notify", Status: 201})
	}
	return w
}

// line is the n-th line of an alert: 0 as sent, 1 its fate, 2 sent again.
func (w *weather) line(alert, n int) *sentLine { return &w.sent[3*alert+n] }

func (w *weather) tell(t *testing.T, more ...string) (red []string, code int, printed string) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	for _, l := range w.sent {
		files["sent"] += asJSON(t, l) + "\n"
	}
	for _, e := range w.world {
		files["world"] += asJSON(t, e) + "\n"
	}
	args := []string{"--alerts", "40", "--keys", "4", "--p99", "100ms"}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--"+name, path)
	}
	var out, talk strings.Builder
	code = run(append(args, more...), &out, &talk)
	for line := range strings.Lines(out.String()) {
		if name, bad := strings.CutPrefix(line, "FAIL"); bad {
			red = append(red, strings.TrimSpace(name))
		}
	}
	return red, code, out.String() + talk.String()
}

func TestAStormThatWentWellPasses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*weather){
		"as told": func(*weather) {},
		"with answers that never came": func(w *weather) {
			lost := *w.line(3, 0)
			lost.Status, lost.Said, lost.AlertID, lost.MS = 0, "", "", 30000
			w.line(3, 0).Said = "duplicate" // the first was stored and its answer broke off
			w.sent = append(w.sent, lost)
		},
		"with clients that were turned away": func(w *weather) {
			full := *w.line(3, 0)
			full.Status, full.Said, full.AlertID = 503, "", ""
			w.sent = append(w.sent, full)
		},
		"with a containment that was repeated": func(w *weather) { w.world = append(w.world, w.world[0]) },
	} {
		w := calm()
		change(w)
		if red, code, printed := w.tell(t); code != 0 || len(red) > 0 {
			t.Errorf("%s: exit %d, red: %q\n%s", name, code, red, printed)
		}
	}
}

// Every case breaks one thing; the named checks, and no others, must go red.
func TestEveryFaultOfAStormTurnsItsCheckRed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*weather)
		red    []string
	}{
		"an alert that nobody took":     {func(w *weather) { w.line(9, 0).Status = 503 }, []string{onAcked, onLost}},
		"an alert that was not sent":    {func(w *weather) { w.sent = w.sent[:3*39] }, []string{onAcked}},
		"answered before it was stored": {func(w *weather) { w.line(9, 2).Said = "accepted" }, []string{onLost, onTwice}},
		"lost, and its id with it":      {func(w *weather) { l := w.line(9, 2); l.Said, l.AlertID = "accepted", "al-new" }, []string{onLost, onTwice}},
		"one alert with two ids":        {func(w *weather) { w.line(9, 2).AlertID = "al-other" }, []string{onLost}},
		"never looked at again":         {func(w *weather) { w.line(9, 2).Status = 503 }, []string{onLost}},
		"taken twice":                   {func(w *weather) { w.sent = append(w.sent, *w.line(9, 0)) }, []string{onTwice}},
		"lost by its fate":              {func(w *weather) { w.line(9, 1).Fate = "lost" }, []string{onFates}},
		"set aside":                     {func(w *weather) { w.line(9, 1).Fate = "set_aside" }, []string{onFates}},
		"without a fate":                {func(w *weather) { w.line(9, 1).Fate = "" }, []string{onFates}},
		"two runs for one key":          {func(w *weather) { w.line(9, 1).Fate = "started" }, []string{onFates}},
		"no run for a key":              {func(w *weather) { w.line(0, 1).Fate = "joined" }, []string{onFates}},
		"a key that was not contained":  {func(w *weather) { w.world[0].Status = 500 }, []string{onKeys}},
		"a key that nobody named":       {func(w *weather) { w.world = append(w.world, w.world[0]); w.world[len(w.world)-1].Key = "k9" }, []string{onKeys}},
		"two tickets for one key":       {func(w *weather) { w.world = append(w.world, w.world[1]) }, []string{onTickets}},
		"a ticket too few":              {func(w *weather) { w.world[1].Status = 503 }, []string{onTickets}},
		"too slow":                      {func(w *weather) { w.line(9, 0).MS = 250 }, []string{onTime}},
	} {
		w := calm()
		c.change(w)
		if red, code, printed := w.tell(t); code != 1 || !slices.Equal(red, c.red) {
			t.Errorf("%s: exit %d, red: %q, want %q\n%s", name, code, red, c.red, printed)
		}
	}
	w := calm()
	if red, _, printed := w.tell(t, "--keys", "5"); !slices.Equal(red, []string{onKeys}) {
		t.Errorf("another number of keys: %q\n%s", red, printed)
	}
	w.sent = nil
	if _, code, printed := w.tell(t, "--sent", os.DevNull); code != 2 {
		t.Errorf("nothing sent: exit %d, %s", code, printed)
	}
}
