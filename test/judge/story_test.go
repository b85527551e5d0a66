package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	stolenPath = "/v2/projects/42/locations/global/keys/stolen"
	modelPath  = "/v1beta/models/gemini-2.5-pro:generateContent"
	cartPath   = "/repos/acme/cart/actions/secrets/GEMINI_API_KEY"
	shopPath   = "/repos/acme/shop/actions/secrets/GEMINI_API_KEY"
)

var midnight = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

func at(second float64) time.Time {
	return midnight.Add(time.Duration(second * float64(time.Second)))
}

// story is a drill told by hand: what the world saw and what the drill said.
type story struct {
	log  []entry
	told told
}

func press(second float64, who, path string) entry {
	return entry{T: at(second), Service: "slack", Method: "PRESS", Path: path, Actor: who, Effect: "press", Status: 202}
}

func model(second float64, who, key, effect string, status int, usd float64) entry {
	return entry{T: at(second), Service: "gemini", Method: "POST", Path: modelPath, Actor: who, Key: key, Effect: effect, Status: status, USD: usd}
}

// good is the drill as it should be; every test breaks one thing in it.
func good() *story {
	put := func(second float64, path string) entry {
		return entry{T: at(second), Service: "github", Method: "PUT", Path: path, Actor: responder, Key: "fresh", Effect: "final", Status: 204}
	}
	dollars := func(v float64) *float64 { return &v }
	return &story{
		log: []entry{
			model(0, attacker, "stolen", "abuse", 200, 0.5),
			model(1, "shop", "stolen", "use", 200, 0.01),
			model(1.1, "cart", "stolen", "use", 200, 0.01),
			model(2, attacker, "stolen", "abuse", 200, 0.5),
			{T: at(3), Service: "apikeys", Method: "PATCH", Path: stolenPath, Actor: responder, Key: "stolen", Effect: "undoable", Status: 200},
			model(4, attacker, "stolen", "", 403, 0),
			press(10, "U0KIM", "so-1/review"), press(11, "U0KIM", "so-1/approve"), press(12, "U0LEE", "so-1/approve"),
			{T: at(13), Service: "apikeys", Method: "POST", Path: "/v2/projects/42/locations/global/keys", Actor: responder, Key: "fresh", Effect: "undoable", Status: 200},
			put(14, shopPath), put(14.1, cartPath),
			model(15, "shop", "fresh", "use", 200, 0.01), model(15.1, "cart", "fresh", "use", 200, 0.01),
			press(20, "U0KIM", "so-2/approve"), press(21, "U0LEE", "so-2/approve"),
			{T: at(22), Service: "apikeys", Method: "DELETE", Path: stolenPath, Actor: responder, Key: "stolen", Effect: "final", Status: 200},
			{T: at(43), Service: "gemini", Method: "GET", Path: "/v1beta/models", Actor: "unknown", Key: "stolen", Status: 400},
		},
		told: told{
			Outcome: "contained", Expected: "contained",
			Signoffs: []signoff{
				{ID: "so-1", Step: "replace", State: "done", Calls: []planned{
					{Step: "replace/fresh", Action: "key.create", Effect: "undoable", Target: "gemini:sandbox:stolen"},
					{Step: "replace/rotate[0]/hand_over", Action: "dependent.update", Effect: "final", Target: "github_actions_secret acme/shop:GEMINI_API_KEY"},
					{Step: "replace/rotate[1]/hand_over", Action: "dependent.update", Effect: "final", Target: "github_actions_secret acme/cart:GEMINI_API_KEY"},
				}},
				{ID: "so-2", Step: "revoke", State: "done", Calls: []planned{
					{Step: "revoke", Action: "key.revoke", Effect: "final", Target: "gemini:sandbox:stolen (AIza…9xQ2)"},
				}},
			},
			Marks: map[string]time.Time{
				"first_abuse": at(0), "alert": at(2.5), "first_action": at(3), "contained": at(3.2), "spend_stopped": at(2), "decided": at(21),
				"revoked": at(22), "proven": at(43.1),
			},
			USD: map[string]*float64{"at_alert": dollars(1), "at_contained": dollars(1), "total": dollars(1), "uncontained_48h": dollars(86400)},
		},
	}
}

// find is the first entry that fits.
func (s *story) find(t *testing.T, method, part string) *entry {
	t.Helper()
	for i := range s.log {
		if s.log[i].Method == method && strings.Contains(s.log[i].Path, part) {
			return &s.log[i]
		}
	}
	t.Fatalf("the story has no %s of %s", method, part)
	return nil
}

// tell judges the story through the files that the program reads and returns the names of the red checks.
func (s *story) tell(t *testing.T) (red []string, code int, printed string) {
	t.Helper()
	dir := t.TempDir()
	var lines strings.Builder
	for _, e := range s.log {
		lines.WriteString(asJSON(t, e) + "\n")
	}
	drill := map[string]any{
		"outcome": s.told.Outcome, "expected": s.told.Expected, "steps": s.told.Steps, "signoffs": s.told.Signoffs,
		"marks": s.told.Marks, "usd": s.told.USD,
	}
	world, told := filepath.Join(dir, "w.jsonl"), filepath.Join(dir, "drill.json")
	for path, text := range map[string]string{world: lines.String(), told: asJSON(t, drill)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, talk strings.Builder
	code = run([]string{"--world", world, "--drill", told}, &out, &talk)
	for line := range strings.Lines(out.String()) {
		if name, is := strings.CutPrefix(line, "FAIL"); is {
			red = append(red, strings.TrimSpace(name))
		}
	}
	return red, code, out.String() + talk.String()
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
