package e2e

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// scenarios are what the program itself lists.
func scenarios(t *testing.T, program string) []string {
	t.Helper()
	raw, err := exec.CommandContext(t.Context(), program, "drill", "list", "-o", "json").Output() //nolint:gosec // our own program
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ Name string }
	if err := json.Unmarshal(raw, &all); err != nil || len(all) < 9 {
		t.Fatalf("drill list names %d scenarios: %v", len(all), err)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

func TestEveryDrillEndsAsItPromisesAndTheJudgeAgrees(t *testing.T) {
	t.Parallel()
	program, judge := built(t, shop.honest), built(t, shop.judge)
	for _, name := range scenarios(t, program) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			turn(t)
			p, world, answer := drillOf(t, name, program)
			if p.failure != nil {
				t.Fatalf("the drill ended with %v", p.failure)
			}
			if text, good := verdict(t, judge, world, answer); !good {
				t.Fatalf("the judge is not content:\n%s", text)
			}
			if name == "busy-launch" { // an honest tenfold day is a question: nobody takes anything away
				for _, e := range readWorld(t, world) {
					if e.Effect == "undoable" || e.Effect == "final" {
						t.Errorf("%s %s %s was called", e.Effect, e.Method, e.Path)
					}
				}
			}
		})
	}
}
