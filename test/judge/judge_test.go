package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	onExpected  = "the drill ended as its scenario expects"
	onFinal     = "every planned final call happened exactly once, and no other"
	onSigned    = "no final call before two people approved its request in Slack"
	onContained = "the key was contained before any final call"
	onProof     = "nothing was spent after the key was proven dead"
	onMoved     = "every dependent works with a new key"
	onTidied    = "what was opened for it was closed"
	onDollars   = "the dollars add up"
	onMarks     = "the marks are in order and agree with the log"
)

func TestAGoodDrillPasses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *story){
		"as told": func(*testing.T, *story) {},
		"without the calls of the plans": func(_ *testing.T, s *story) {
			for i := range s.told.Signoffs {
				s.told.Steps = append(s.told.Steps, asSteps(s.told.Signoffs[i].Calls)...)
				s.told.Signoffs[i].Calls = nil
			}
		},
		"with a refused repeat of the deletion": func(t *testing.T, s *story) {
			e := *s.find(t, "DELETE", "stolen")
			e.T, e.Status, e.Effect = at(23), 404, ""
			s.log = append(s.log, e)
		},
		"with a voided request asked anew": func(_ *testing.T, s *story) {
			old := s.told.Signoffs[1]
			old.ID, old.State = "so-0", "voided"
			s.told.Signoffs = append([]signoff{old}, s.told.Signoffs...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			change(t, s)
			if red, code, printed := s.tell(t); code != 0 || len(red) > 0 {
				t.Errorf("exit %d, red: %q\n%s", code, red, printed)
			}
		})
	}
}

// hub is a request of the responder's to GitHub that changes no secret.
func hub(second float64, method, path string) entry {
	return entry{T: at(second), Service: "github", Method: method, Path: path, Actor: responder, Status: 200}
}

func asSteps(calls []planned) (out []step) {
	for _, p := range calls {
		out = append(out, step{ID: p.Step, Action: p.Action, Effect: p.Effect, Status: "done"})
	}
	return out
}

// Every case breaks one thing; the named checks, and no others, must go red.
func TestEveryFaultTurnsItsCheckRed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*testing.T, *story)
		red    []string
	}{
		"another outcome":        {func(_ *testing.T, s *story) { s.told.Expected = "false_alarm" }, []string{onExpected}},
		"deleted twice":          {func(t *testing.T, s *story) { s.log = append(s.log, later(*s.find(t, "DELETE", "stolen"), 1)) }, []string{onFinal}},
		"a secret written twice": {func(t *testing.T, s *story) { s.log = append(s.log, later(*s.find(t, "PUT", "shop"), 1)) }, []string{onFinal}},
		"a secret forgotten":     {func(t *testing.T, s *story) { s.find(t, "PUT", "shop").Effect = "" }, []string{onFinal}},
		"a secret nobody planned": {func(t *testing.T, s *story) {
			e := later(*s.find(t, "PUT", "shop"), 1)
			e.Path = "/repos/acme/blog/actions/secrets/GEMINI_API_KEY"
			s.log = append(s.log, e)
		}, []string{onFinal, onSigned, onMoved}},
		"another key deleted":            {func(t *testing.T, s *story) { s.find(t, "DELETE", "stolen").Key = "neighbour" }, []string{onFinal, onSigned, onProof}},
		"a rejected plan carried out":    {func(_ *testing.T, s *story) { s.told.Signoffs[1].State = "rejected" }, []string{onFinal}},
		"no plan at all":                 {func(_ *testing.T, s *story) { s.told.Signoffs = nil }, []string{onFinal, onSigned}},
		"one press too few":              {func(t *testing.T, s *story) { s.find(t, "PRESS", "so-2/approve").Path = "so-2/review" }, []string{onSigned}},
		"one person twice":               {func(t *testing.T, s *story) { s.find(t, "PRESS", "so-2/approve").Actor = "U0LEE" }, []string{onSigned}},
		"the presses of another request": {func(t *testing.T, s *story) { s.find(t, "PRESS", "so-2/approve").Path = "so-1/approve" }, []string{onSigned}},
		"a press after the call":         {func(t *testing.T, s *story) { s.find(t, "PRESS", "so-2/approve").T = at(22.5) }, []string{onSigned}},
		"an approval taken back":         {func(_ *testing.T, s *story) { s.log = append(s.log, press(21.5, "U0KIM", "so-2/reject")) }, []string{onSigned}},
		"a press that decides nothing":   {func(t *testing.T, s *story) { s.find(t, "PRESS", "so-2/approve").Effect = "" }, []string{onSigned}},
		"never contained":                {func(t *testing.T, s *story) { s.find(t, "PATCH", "stolen").Status = 403 }, []string{onContained}},
		"contained too late":             {func(t *testing.T, s *story) { s.find(t, "PATCH", "stolen").T = at(14.05) }, []string{onContained}},
		"the wrong key contained":        {func(t *testing.T, s *story) { s.find(t, "PATCH", "stolen").Key = "neighbour" }, []string{onContained}},
		"spent after the proof": {func(_ *testing.T, s *story) {
			s.log = append(s.log, model(60, attacker, "stolen", "abuse", 200, 0.001))
			s.told.Marks["spend_stopped"] = at(60)
		}, []string{onProof}},
		"a proof without a probe":     {func(t *testing.T, s *story) { s.find(t, "GET", "/v1beta/models").Status = 200 }, []string{onProof}},
		"a proof before the deletion": {func(t *testing.T, s *story) { s.find(t, "GET", "/v1beta/models").T = at(21.9) }, []string{onProof}},
		"no proof":                    {func(_ *testing.T, s *story) { delete(s.told.Marks, "proven") }, []string{onProof}},
		"a dependent left behind":     {func(_ *testing.T, s *story) { s.log = append(s.log, model(16, "shop", "stolen", "use", 200, 0.01)) }, []string{onMoved}},
		"a dependent that never came back": {func(_ *testing.T, s *story) {
			s.log = slices.DeleteFunc(s.log, func(e entry) bool { return e.Actor == "shop" && e.Key == "fresh" })
		}, []string{onMoved}},
		"a dependent that was never seen": {func(_ *testing.T, s *story) {
			s.log = slices.DeleteFunc(s.log, func(e entry) bool { return e.Actor == "shop" })
		}, []string{onMoved}},
		"the stolen value written back": {func(t *testing.T, s *story) { s.find(t, "PUT", "shop").Key = "stolen" }, []string{onMoved}},
		"a value that is no key":        {func(t *testing.T, s *story) { s.find(t, "PUT", "shop").Key = "" }, []string{onMoved}},
		"a ticket left open": {func(_ *testing.T, s *story) {
			s.log = append(s.log, hub(3.1, "POST", "/repos/acme/shop/issues"))
		}, []string{onTidied}},
		"a ticket that would not close": {func(_ *testing.T, s *story) {
			refused := hub(43.2, "PATCH", "/repos/acme/shop/issues/1")
			refused.Status = 403
			s.log = append(s.log, hub(3.1, "POST", "/repos/acme/shop/issues"), refused)
		}, []string{onTidied}},
		"an alert of GitHub left open": {func(_ *testing.T, s *story) {
			s.log = append(s.log, hub(2.6, "GET", "/repos/acme/shop/secret-scanning/alerts/1"))
		}, []string{onTidied}},
		"a wrong total":             {func(_ *testing.T, s *story) { *s.told.USD["total"] = 1.02 }, []string{onDollars}},
		"a wrong sum at the alert":  {func(_ *testing.T, s *story) { *s.told.USD["at_alert"] = 0.5 }, []string{onDollars}},
		"a missing sum":             {func(_ *testing.T, s *story) { delete(s.told.USD, "at_contained") }, []string{onDollars}},
		"a forecast below the bill": {func(_ *testing.T, s *story) { *s.told.USD["uncontained_48h"] = 0.1 }, []string{onDollars}},
		"a wrong first abuse":       {func(_ *testing.T, s *story) { s.told.Marks["first_abuse"] = at(-70) }, []string{onMarks}},
		"marks out of order":        {func(_ *testing.T, s *story) { s.told.Marks["revoked"] = at(44) }, []string{onMarks}},
		"a wrong last charge":       {func(_ *testing.T, s *story) { s.told.Marks["spend_stopped"] = at(9) }, []string{onMarks}},
		"no attacker": {func(_ *testing.T, s *story) {
			s.log = slices.DeleteFunc(s.log, func(e entry) bool { return e.Effect == "abuse" })
		}, []string{onDollars, onMarks}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			c.change(t, s)
			red, code, printed := s.tell(t)
			if code != 1 || !slices.Equal(red, c.red) {
				t.Errorf("exit %d, red: %q, want %q\n%s", code, red, c.red, printed)
			}
		})
	}
}

func later(e entry, seconds float64) entry {
	e.T = e.T.Add(time.Duration(seconds * float64(time.Second)))
	return e
}

func TestWhatCannotBeJudgedIsMisuse(t *testing.T) {
	t.Parallel()
	empty := &story{told: good().told}
	if _, code, printed := empty.tell(t); code != 2 || !strings.Contains(printed, "nothing happened") {
		t.Errorf("an empty log: exit %d, %s", code, printed)
	}
	var out, talk strings.Builder
	if code := run(nil, &out, &talk); code != 2 || !strings.Contains(talk.String(), "--world") {
		t.Errorf("no arguments: exit %d, %s", code, talk.String())
	}
}

func TestUnknownMarksMayBeNullOrEmpty(t *testing.T) {
	t.Parallel()
	c := &trial{}
	if err := c.readTold(strings.NewReader(`{"marks":{"alert":"2026-11-20T03:00:00Z","proven":null,"revoked":""}}`)); err != nil || len(c.told.Marks) != 1 {
		t.Errorf("marks %v, error %v", c.told.Marks, err)
	}
	if err := c.readTold(strings.NewReader(`{"marks":{"alert":"soon"}}`)); err == nil {
		t.Error("a mark that is no time was taken")
	}
}
