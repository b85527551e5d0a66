package main

import (
	"slices"
	"testing"
	"time"
)

// honest is a drill in which nobody stole: a load test was stopped and, when two people had signed for it, let go on.
func honest() *story {
	nothing := 0.0
	patch := entry{T: at(3), Service: "apikeys", Method: "PATCH", Path: stolenPath, Actor: responder, Key: "shared", Effect: "undoable", Status: 200}
	return &story{
		log: []entry{
			{T: at(0), Service: "sandbox", Method: "THEFT", Path: "honest", Status: 200},
			model(1, "shop", "shared", "use", 200, 0.5), patch, press(10, "U0KIM", "so-9/approve"), press(11, "U0LEE", "so-9/approve"), later(patch, 9),
			model(13, "shop", "shared", "use", 200, 0.01),
		},
		told: told{
			Outcome: "false_alarm", Expected: "false_alarm",
			Signoffs: []signoff{{ID: "so-9", Step: "undo", State: "done", Calls: []planned{{Step: "undo_1", Action: "key.restore", Effect: "final", Target: "gemini:sandbox:shared"}}}},
			USD:      map[string]*float64{"at_alert": &nothing, "at_contained": &nothing, "total": &nothing, "uncontained_48h": &nothing},
		},
	}
}

// unused is the good drill without a thief: the key's value lay open, and nobody spent on it.
func unused() *story {
	s, nothing := good(), 0.0
	s.log = slices.DeleteFunc(s.log, func(e entry) bool { return e.Actor == attacker })
	s.log = append(s.log, entry{T: at(0), Service: "sandbox", Method: "LEAK", Path: "leak", Key: "stolen", Effect: "leak", Status: 200})
	s.told.USD = map[string]*float64{"at_alert": &nothing, "at_contained": &nothing, "total": &nothing, "uncontained_48h": &nothing}
	delete(s.told.Marks, "first_abuse")
	delete(s.told.Marks, "spend_stopped")
	return s
}

// untold is the good drill about a key whose value nobody ever told us: its issuer's record stands for a probe.
func untold() *story {
	s := good()
	s.log[len(s.log)-1] = entry{T: at(43), Service: "apikeys", Method: "GET", Path: stolenPath, Actor: responder, Key: "stolen", Effect: "observe", Status: 200}
	return s
}

// stopped is the good drill with a measure on a whole project, as some issuers have no other.
func stopped(service string) func() *story {
	return func() *story {
		s := good()
		i := slices.IndexFunc(s.log, func(e entry) bool { return e.Method == "PATCH" })
		s.log[i].Service, s.log[i].Key = service, "the project"
		return s
	}
}

func marksOf(name string, second float64) map[string]time.Time {
	return map[string]time.Time{name: at(second)}
}

func TestOtherTheftsAreJudgedByTheirOwnRules(t *testing.T) {
	t.Parallel()
	nothing := func(*testing.T, *story) {}
	for name, c := range map[string]struct {
		tell   func() *story
		change func(*testing.T, *story)
		red    []string
	}{
		"an honest load":                  {honest, nothing, nil},
		"an honest load, given back by 1": {honest, func(t *testing.T, s *story) { s.find(t, "PRESS", "so-9/approve").Path = "so-9/review" }, []string{onMarks}},
		"an honest load, never signed":    {honest, func(_ *testing.T, s *story) { s.told.Signoffs[0].State = "rejected" }, []string{onMarks}},
		"an honest load, given back and dead": {honest, func(_ *testing.T, s *story) {
			s.log = s.log[:len(s.log)-1]
		}, []string{onMarks}},
		"an honest load with a thief": {honest, func(_ *testing.T, s *story) {
			s.log = append(s.log, model(14, attacker, "shared", "abuse", 200, 0.5))
		}, []string{onDollars, onMarks}},
		"an honest load with a first abuse": {honest, func(_ *testing.T, s *story) { s.told.Marks = marksOf("first_abuse", 0) }, []string{onMarks}},

		"a leak that nobody used":                     {unused, nothing, nil},
		"a leak that nobody used, with a first abuse": {unused, func(_ *testing.T, s *story) { s.told.Marks["first_abuse"] = at(0) }, []string{onMarks}},
		"a leak without a probe": {unused, func(t *testing.T, s *story) {
			*s.find(t, "GET", "/v1beta/models") = untold().log[len(untold().log)-1]
		}, []string{onProof}},

		"a value that nobody told":                      {untold, nothing, nil},
		"a value that nobody told, looked up by nobody": {untold, func(_ *testing.T, s *story) { s.log = s.log[:len(s.log)-1] }, []string{onProof}},
		"a value that nobody told, looked up too early": {untold, func(_ *testing.T, s *story) { s.log[len(s.log)-1].T = at(21.9) }, []string{onProof}},

		"a project stopped at one issuer":     {stopped("openai-admin"), nothing, nil},
		"a project stopped at another":        {stopped("azure-arm"), nothing, nil},
		"a project's API switched off":        {stopped("serviceusage"), nothing, nil},
		"something stopped that holds no key": {stopped("billing"), nothing, []string{onContained}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.tell()
			c.change(t, s)
			want := 0
			if len(c.red) > 0 {
				want = 1
			}
			if red, code, printed := s.tell(t); code != want || !slices.Equal(red, c.red) {
				t.Errorf("exit %d, red: %q, want %q\n%s", code, red, c.red, printed)
			}
		})
	}
}
