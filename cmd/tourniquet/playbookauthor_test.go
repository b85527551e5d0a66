package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSchemaPrintsOneSchemaWithGroupsOnlyWhereTheyAreKnown(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{"without": nil, "with": groups(t)} {
		got := command(t, env, "playbook", "schema")
		var s struct {
			Schema      string `json:"$schema"`
			Definitions map[string]struct {
				Properties map[string]struct{ Enum []string }
			}
		}
		if got.code != exitGood || json.Unmarshal([]byte(got.out), &s) != nil || !strings.Contains(s.Schema, "draft-07") {
			t.Fatalf("exit %d, printed %.200s", got.code, got.out)
		}
		if known := len(s.Definitions["seat"].Properties["group"].Enum); (known > 0) != (name == "with") {
			t.Errorf("%s a configuration the schema names %d groups", name, known)
		}
	}
}

func TestANewPlaybookIsGoodInShapeAndItsTestsReachEverything(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"plain":   nil,
		"short":   {"--ask=false", "--replace=false", "--on", "key.leaked"},
		"odd":     {"--title", `A key: "stolen" # or not?`, "--owner", "yes", "--signers", "night", "--count", "3"},
		"nothing": {"--replace=false", "--owner", "secops"},
	} {
		dir := t.TempDir()
		got := command(t, nil, append([]string{"playbook", "new", "my-" + name, "--dir", dir}, flags...)...)
		if got.code != exitGood {
			t.Fatalf("%s: exit %d, said %s", name, got.code, got.talk)
		}
		for _, args := range [][]string{{"lint"}, {"fmt", "--check"}, {"test", "--min-coverage", "100"}} {
			if got := command(t, nil, append(append([]string{"playbook"}, args...), dir)...); got.code != exitGood {
				t.Errorf("%s: %v: exit %d, printed %s%s", name, args, got.code, got.out, got.talk)
			}
		}
		if again := command(t, nil, "playbook", "new", "my-"+name, "--dir", dir); again.code != exitMisuse || !strings.Contains(again.talk, "--force") {
			t.Errorf("%s: the second time exit %d, said %s", name, again.code, again.talk)
		}
	}
}

func TestNewRefusesWhatWouldNotBeGoodAndWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for why, args := range map[string][]string{
		"is not an id":     {"Not_An_Id"},
		"no kind of alert": {"fine", "--on", "weather.rain"},
		"alone":            {"fine", "--count", "1"},
		"no group":         {"fine", "--signers", "nobody"},
	} {
		got := command(t, groups(t), append([]string{"playbook", "new", "--dir", dir}, args...)...)
		if got.code != exitMisuse || !strings.Contains(got.talk, why) {
			t.Errorf("%v: exit %d, said %s", args, got.code, got.talk)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("written were %v, %v", left, err)
	}
}

func TestNewAsksForWhatNoFlagSays(t *testing.T) {
	t.Parallel()
	w := wish{Title: "offered", Group: "secops", Count: 2, Kinds: []string{"key.leaked"}, Ask: true, Replace: true}
	var said strings.Builder
	sh := &shell{In: strings.NewReader("A leak\n\nkey.leaked, usage.anomaly\n\n3\nno\n"), Talk: &said}
	sh.askWish(&w, func(flag string) bool { return flag == "signers" })
	if w.Title != "A leak" || len(w.Kinds) != 2 || w.Count != 2 || w.Group != "secops" || w.Replace {
		t.Errorf("asked %s\ngot %+v", said.String(), w)
	}
}

const untidy = "title: t   # why\nid: p\nschema: tourniquet/v1\nsteps:\n- wait: 1m\n  id: a\n"

func TestFmtPrintsWritesOrChecks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.yaml")
	if err := os.WriteFile(file, []byte(untidy), 0o640); err != nil {
		t.Fatal(err)
	}
	want := "schema: tourniquet/v1\nid: p\ntitle: t   # why\nsteps:\n  - id: a\n    wait: 1m\n"
	if got := command(t, nil, "playbook", "fmt", file); got.code != exitGood || got.out != want {
		t.Errorf("exit %d, printed\n%s", got.code, got.out)
	}
	if got := command(t, nil, "playbook", "fmt", "--check", dir); got.code != exitFailed || !strings.Contains(got.out, file) {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != untidy {
		t.Errorf("looking changed the file: %v\n%s", err, now)
	}
	if got := command(t, nil, "playbook", "fmt", "-w", dir); got.code != exitGood {
		t.Errorf("exit %d, said %s", got.code, got.talk)
	}
	info, err := os.Stat(file)
	if now, bad := os.ReadFile(file); err != nil || bad != nil || string(now) != want || info.Mode().Perm() != 0o640 {
		t.Errorf("written was (%v, %v)\n%s", err, bad, now)
	}
	if got := command(t, nil, "playbook", "fmt", "--check", dir); got.code != exitGood || got.out != "" {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	if got := command(t, nil, "playbook", "fmt", "-w", "--check", dir); got.code != exitMisuse {
		t.Errorf("exit %d", got.code)
	}
}

func TestTheShippedPlaybooksAreInShape(t *testing.T) {
	t.Parallel()
	if got := command(t, nil, "playbook", "fmt", "--check", "../../playbooks/library"); got.code != exitGood {
		t.Errorf("exit %d: %s%s", got.code, got.out, got.talk)
	}
}

func TestGraphDrawsAPlaybookAsSVGAndAsMermaid(t *testing.T) {
	t.Parallel()
	svg := command(t, nil, "playbook", "graph", "llmjacking")
	if svg.code != exitGood || !strings.HasPrefix(svg.out, "<svg ") || !strings.Contains(svg.out, "SIGN-OFF: 2 of secops") {
		t.Errorf("exit %d, printed %.300s", svg.code, svg.out)
	}
	if got := command(t, nil, "playbook", "graph", "../../playbooks/library/llmjacking.yaml", "--format", "mermaid"); got.code != exitGood || !strings.Contains(got.out, "flowchart TD") {
		t.Errorf("exit %d, printed %.300s", got.code, got.out)
	}
	var d struct{ Playbook, Digest, Format, Picture string }
	got := command(t, nil, "playbook", "graph", "llmjacking", "-o", "json")
	if json.Unmarshal([]byte(got.out), &d) != nil || d.Playbook != "llmjacking" || !strings.HasPrefix(d.Digest, "sha256:") || !strings.HasPrefix(d.Picture, "<svg ") {
		t.Errorf("printed %.300s", got.out)
	}
	if got := command(t, nil, "playbook", "graph", "llmjacking", "--format", "png"); got.code != exitMisuse {
		t.Errorf("exit %d", got.code)
	}
}

func TestShowNamesPolicysDefaultSignoffOfTheConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tourniquet.yaml")
	body := "people:\n  - { id: a, slack: U1 }\n  - { id: b, slack: U2 }\n  - { id: c, slack: U3 }\n" +
		"groups:\n  secops: { people: [a, b, c] }\n  secops_lead: { people: [a, b] }\n" +
		"policy:\n  undoable: { default_signoff: [{ group: secops_lead, count: 2 }] }\n"
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	got := command(t, map[string]string{"TOURNIQUET_CONFIG": file}, "playbook", "show", "llmjacking")
	if got.code != exitGood || !strings.Contains(got.out, "policy's default sign-off: 2 of secops_lead.") {
		t.Errorf("exit %d, printed %s%s", got.code, got.out, got.talk)
	}
}
