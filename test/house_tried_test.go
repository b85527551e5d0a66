package test

import (
	"strings"
	"testing"
)

// Every rule must be able to fail: a house with one breach has exactly that fault.
func TestEveryRuleOfTheHouseCanFail(t *testing.T) {
	t.Parallel()
	const header = "package p\n"
	for name, c := range map[string]struct{ file, text, want string }{
		"a playbook that calls out":     {"playbooks/x.go", header + `import "net/http"`, "touch nothing outside"},
		"a sign-off that reads files":   {"internal/signoff/x.go", header + `import "os"`, "touch nothing outside"},
		"a sign-off through a friend":   {"internal/signoff/x.go", header + `import "` + module + `internal/friend"`, "through it (internal/friend) os"},
		"a playbook with a clock":       {"playbooks/x.go", header + `import "time"` + "\nvar t = time.Now()", "never look at a clock"},
		"a workflow that acts":          {"workflows/x.go", header + `import "` + module + `activities"`, "call actions by name"},
		"a workflow that stores":        {"workflows/x.go", header + `import "` + module + `internal/database"`, "call actions by name"},
		"a workflow that throws dice":   {"workflows/x.go", header + `import "math/rand/v2"`, "a replay would see"},
		"a workflow with a clock":       {"workflows/x.go", header + `import "time"` + "\nfunc f() { <-time.After(1) }", "ask workflow.Now"},
		"a workflow with goroutines":    {"workflows/x.go", header + "func f() { go f() }", "use workflow.Go"},
		"an action that knows a vendor": {"activities/x.go", header + `import "` + module + `integrations/keys/gemini"`, "vendors are named"},
		"a vendor that knows another":   {"integrations/chat/slack/x.go", header + `import "` + module + `integrations/tickets/github"`, "vendors are named"},
		"a room that knows the sandbox": {"internal/report/x.go", header + `import "` + module + `internal/sandbox"`, "only cmd and tests"},
		"a room that knows the console": {"internal/report/x.go", header + `import "` + module + `internal/console"`, "only cmd and tests"},
		"a sandbox that knows us":       {"internal/sandbox/x.go", header + `import "` + module + `internal/database"`, "must not know us"},
		"a second engine":               {"internal/report/x.go", header + `import "go.temporal.io/server/temporal"`, "only internal/engine"},
		"fx in a room":                  {"internal/report/module.go", header + `import "go.uber.org/fx"`, "only a command wires"},
		"an init":                       {"internal/report/x.go", header + "func init() {}", "has func init"},
		"a test that sleeps":            {"internal/report/x_test.go", header + `import "time"` + "\nfunc f() { time.Sleep(1) }", "sleeps"},
		"a long file":                   {"internal/report/x.go", header + strings.Repeat("\n", 400), "one screen per idea"},
		"a long function":               {"internal/report/x.go", header + "func f() {" + strings.Repeat("\n", 60) + "}", "60 are the end"},
		"a room without description":    {"internal/new/x.go", header, "has no doc.go"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			house := emptyHouse(t)
			s, err := readSource(c.file, []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			got := faults(append(house, s))
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("faults %q, want one that says %q", got, c.want)
			}
		})
	}
}

func TestAHouseThatKeepsItsRulesHasNoFaults(t *testing.T) {
	t.Parallel()
	for file, text := range map[string]string{
		"cmd/tourniquet/app.go":                 "package main\nimport (\n\"go.uber.org/fx\"\n\"" + module + "integrations/keys/gemini\"\n\"" + module + "internal/sandbox\")",
		"integrations/secretstores/github/x.go": "package p\nimport \"" + module + "integrations/tickets/github/api\"",
		"internal/report/x_test.go":             "package p\nimport \"" + module + "internal/sandbox\"",
		"playbooks/x.go":                        "package p\nimport \"net/url\"",
	} {
		s, err := readSource(file, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		house := append(emptyHouse(t), s)
		house = append(house, source{path: s.room() + "/doc.go"})
		if got := faults(house); len(got) > 0 {
			t.Errorf("%s: faults %q", file, got)
		}
	}
}

// emptyHouse has every room that the cases speak of, described; internal/friend reads files, as it may.
func emptyHouse(t *testing.T) (house []source) {
	t.Helper()
	for _, room := range []string{"playbooks", "workflows", "activities", "cmd/tourniquet", "integrations/chat/slack", "internal/signoff",
		"internal/sandbox", "internal/report", "internal/friend"} {
		house = append(house, source{path: room + "/doc.go"})
	}
	return append(house, source{path: "internal/friend/x.go", imports: []string{"os"}})
}
