package editor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/schema"
)

// server is where test/setup.sh put the language server.
func server(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "tourniquet-test", "editor-"+hex.EncodeToString(sum[:])[:12])
	bin := filepath.Join(dir, "node_modules", "yaml-language-server", "bin", "yaml-language-server")
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed; test/setup.sh installs it where it may")
	}
	if _, err := os.Stat(bin); err != nil {
		t.Skip("yaml-language-server is not installed; run test/setup.sh")
	}
	return bin
}

// desk is an editor with the schema beside the playbooks, as the docs say.
type desk struct {
	*client
	dir string
}

func sit(t *testing.T) *desk {
	t.Helper()
	bin, dir := server(t), t.TempDir()
	raw, err := schema.Of(playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 3, "secops_lead": 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "playbook.schema.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return &desk{start(t, bin), dir}
}

// open shows a document to the server, with "‸" for the cursor, and says where that is.
func (d *desk) open(name, text string) (uri string, line, column int) {
	d.t.Helper()
	text = "# yaml-language-server: $schema=./playbook.schema.json\n" + text
	before, after, _ := strings.Cut(text, "‸")
	uri = "file://" + filepath.Join(d.dir, name)
	line = strings.Count(before, "\n")
	column = len(before) - strings.LastIndex(before, "\n") - 1
	d.send("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": before + after}})
	return uri, line, column
}

func (d *desk) complete(name, text string) []item {
	d.t.Helper()
	uri, line, column := d.open(name, text)
	var got struct{ Items []item }
	d.call("textDocument/completion", map[string]any{
		"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": line, "character": column},
	}, &got)
	return got.Items
}

func (d *desk) check(name, text string) []mark {
	d.t.Helper()
	uri, _, _ := d.open(name, text)
	d.until(func(m message) bool { return m.Method == "textDocument/publishDiagnostics" && d.marks[uri] != nil })
	return d.marks[uri]
}

func labels(items []item) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Label)
	}
	return out
}

const head = "schema: tourniquet/v1\nid: p\ntitle: t\nsteps:\n"

func TestUsesCompletesTheActions(t *testing.T) {
	t.Parallel()
	d := sit(t)
	items := d.complete("uses.yaml", head+"  - id: a\n    uses: ‸\n")
	got := labels(items)
	for name := range activities.Catalog() {
		if !slices.Contains(got, name) {
			t.Errorf("%s is not offered; there are %v", name, got)
		}
	}
	for _, i := range items {
		if i.Label == "key.revoke" && !strings.Contains(string(i.Documentation), "FINAL") {
			t.Errorf("key.revoke is described as %s", i.Documentation)
		}
	}
}

func TestWithCompletesTheInputsOfTheActionAndNoOthers(t *testing.T) {
	t.Parallel()
	d := sit(t)
	got := labels(d.complete("with.yaml", head+"  - id: a\n    uses: dependent.update\n    with:\n      ‸\n"))
	for _, f := range activities.Catalog()["dependent.update"].Inputs {
		if !slices.Contains(got, f.Name) {
			t.Errorf("%s is not offered; there are %v", f.Name, got)
		}
	}
	if slices.Contains(got, "text") {
		t.Errorf("the input of another action is offered: %v", got)
	}
}

func TestKeysAndWordsOfTheLanguageAreCompleted(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for text, want := range map[string]string{
		"schema: tourniquet/v1\nid: p\ntitle: t\n‸\n":                        "on_failure",
		head + "  - id: a\n    end: ‸\n":                                     "false_alarm",
		head + "  - id: a\n    uses: key.revoke\n    signoff:\n      ‸\n":    "escalate",
		head + "  - id: a\n    ask:\n      from: ‸\n":                        "secops_lead",
		head + "  - id: a\n    uses: key.probe\n    on_error: ‸\n":           "continue",
		head + "  - id: a\n    uses: key.probe\n    retry:\n      ‸\n":       "factor",
		"schema: tourniquet/v1\nid: p\ntitle: t\ntrigger:\n  ‸\nsteps: []\n": "if",
	} {
		name := strings.NewReplacer(" ", "_", "\n", "_", "/", "_", "‸", "", ":", "").Replace(text) + ".yaml"
		if got := labels(d.complete(name[max(0, len(name)-60):], text)); !slices.Contains(got, want) {
			t.Errorf("%q is not offered after\n%s\nbut %v", want, text, got)
		}
	}
}

func TestATypoIsMarkedWhereItStands(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for name, c := range map[string]struct {
		text         string
		line, column int
	}{
		"action": {head + "  - id: a\n    uses: key.contian\n    with: { key: \"${{ key }}\" }\n", 6, 10},
		"input":  {head + "  - id: a\n    uses: key.contain\n    with: { keey: \"${{ key }}\", key: \"${{ key }}\" }\n", 7, 12},
		"key":    {head + "  - id: a\n    uses: key.contain\n    wihh: { key: \"${{ key }}\" }\n", 7, 4},
		"end":    {head + "  - id: a\n    end: happily\n", 6, 9},
		"group":  {head + "  - id: a\n    ask: { from: secop, prompt: x, choices: [a, b], within: 1h, otherwise: a }\n", 6, 17},
	} {
		marks := d.check(name+".yaml", c.text)
		if !slices.ContainsFunc(marks, func(m mark) bool { return m.Range.Start.Line == c.line && m.Range.Start.Character == c.column }) {
			t.Errorf("%s: nothing is marked at %d:%d, but %+v", name, c.line, c.column, marks)
		}
	}
}

func TestNothingIsMarkedInTheShippedPlaybooks(t *testing.T) {
	t.Parallel()
	d := sit(t)
	files, err := filepath.Glob("../../playbooks/library/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no playbooks: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.yaml") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if marks := d.check(filepath.Base(file), string(src)); len(marks) > 0 {
			t.Errorf("%s: %+v", file, marks)
		}
	}
}
