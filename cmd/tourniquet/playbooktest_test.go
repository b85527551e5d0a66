package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
)

// library is the folder of the shipped playbooks.
const shippedLibrary = "../../playbooks/library"

func TestTheShippedPlaybooksPassTheirTests(t *testing.T) {
	t.Parallel()
	junit := filepath.Join(t.TempDir(), "junit.xml")
	got := command(t, nil, "playbook", "test", shippedLibrary, "--min-coverage", "100", "--junit", junit)
	if got.code != exitGood || got.talk != "" || strings.Count(got.out, "ok  ") < 6 {
		t.Fatalf("exit %d, printed\n%s\nsaid %s", got.code, got.out, got.talk)
	}
	if body, err := os.ReadFile(junit); err != nil || !strings.Contains(string(body), `failures="0"`) {
		t.Errorf("%v: %s", err, body)
	}
	if got := command(t, nil, "playbook", "test"); got.code != exitGood || !strings.Contains(got.out, "llmjacking_test.yaml") {
		t.Errorf("without paths: exit %d, printed %s", got.code, got.out)
	}
}

func writeAll(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	tiny     = "schema: tourniquet/v1\nid: tiny\ntitle: Tiny\nneeds_key: false\ntrigger: { if: alert.severity == \"high\" }\nsteps:\n  - { id: tell, uses: incident.update, with: { text: hello } }\n  - { id: over, end: stopped }\n"
	tinyTest = "playbook: tiny.yaml\nalert: { kind: key.leaked, severity: high }\ntests:\n  - { name: it tells, expect: { outcome: OUTCOME, called: [incident.update] } }\n"
)

func TestWhatDiffersAndWhatNobodyReachedIsTold(t *testing.T) {
	t.Parallel()
	dir := writeAll(t, map[string]string{"tiny.yaml": tiny, "tiny_test.yaml": strings.Replace(tinyTest, "OUTCOME", "contained", 1), "untested.yaml": strings.ReplaceAll(tiny, "tiny", "untested")})
	got := command(t, nil, "playbook", "test", dir)
	for _, want := range []string{"FAIL", "it tells", `tiny_test.yaml:4:`, `the outcome is "stopped", not "contained"`, "no test reaches", "the trigger does not hold"} {
		if got.code != exitFailed || !strings.Contains(got.out, want) {
			t.Errorf("exit %d, wanted %q in\n%s", got.code, want, got.out)
		}
	}
	if !strings.Contains(got.talk, "untested.yaml has no test") {
		t.Errorf("said %s", got.talk)
	}
	var reports []rehearse.Report
	if got := command(t, nil, "playbook", "test", filepath.Join(dir, "tiny.yaml"), "-o", "json"); json.Unmarshal([]byte(got.out), &reports) != nil || len(reports) != 1 || reports[0].Tests[0].OK || len(reports[0].Tests[0].Differs) != 1 {
		t.Errorf("printed %s", got.out)
	}
}

func TestThinTestsFailWhereCoverageIsAskedFor(t *testing.T) {
	t.Parallel()
	dir := writeAll(t, map[string]string{"tiny.yaml": tiny, "tiny_test.yaml": strings.Replace(tinyTest, "OUTCOME", "stopped", 1)})
	if got := command(t, nil, "playbook", "test", dir); got.code != exitGood {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	if got := command(t, nil, "playbook", "test", dir, "--min-coverage", "100"); got.code != exitFailed || !strings.Contains(got.talk, "less than 100 %") {
		t.Errorf("exit %d, said %s", got.code, got.talk)
	}
}

func TestBrokenTestFilesAreMisuseWithTheirPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a mock of nothing": {map[string]string{"tiny.yaml": tiny, "tiny_test.yaml": strings.Replace(strings.Replace(tinyTest, "OUTCOME", "stopped", 1), "tests:", "mocks: { incident.update: { colour: red } }\ntests:", 1)},
			`tiny_test.yaml:3:29: error: incident.update gives no "colour"`},
		"a broken playbook": {map[string]string{"tiny.yaml": strings.Replace(tiny, "incident.update", "incident.updat", 1), "tiny_test.yaml": strings.Replace(tinyTest, "OUTCOME", "stopped", 1)}, "tiny.yaml:7:"},
		"no playbook":       {map[string]string{"tiny_test.yaml": strings.Replace(tinyTest, "OUTCOME", "stopped", 1)}, `tests "tiny.yaml", which does not lie beside it`},
		"no test":           {map[string]string{"tiny.yaml": tiny}, "there is no test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := command(t, nil, "playbook", "test", writeAll(t, c.files)); got.code != exitMisuse || !strings.Contains(got.talk, c.want) {
				t.Errorf("exit %d, said %s", got.code, got.talk)
			}
		})
	}
}

const leak = "kind: key.leaked\nseverity: high\ntitle: A key in a public repository\nkey: { provider: gemini, account: demo, id: k1, hint: \"AIza…9xQ2\", owner: kim, dependents: [{ id: shop, kind: github_actions_secret }] }\n"

func TestExplainSaysWhoAnswersAndWhichPartOfEachOtherConditionFails(t *testing.T) {
	t.Parallel()
	dir := writeAll(t, map[string]string{"leak.yaml": leak, "spend.json": `{"kind": "spend.threshold", "severity": "high", "key": {"provider": "gemini"}}`, "none.yaml": "kind: alert.resolved\n", "bad.yaml": "kind: key.leaked\nkeey: {}\n",
		"finding.json": `{"id": "s1", "kind": "key.leaked", "severity": "low", "title": "Leaked", "key": {"provider": "openai", "id": "key_1"}}`})
	for file, want := range map[string]string{
		"leak.yaml":  "llmjacking answers this alert\n",
		"spend.json": "gemini-project-stop answers this alert\n",
		"none.yaml":  "no playbook answers this alert\n",
	} {
		if got := command(t, nil, "playbook", "explain", "--alert", filepath.Join(dir, file)); got.code != exitGood || !strings.HasPrefix(got.out, want) {
			t.Errorf("%s: exit %d, printed %s%s", file, got.code, got.out, got.talk)
		}
	}
	got := command(t, nil, "playbook", "explain", "--alert", filepath.Join(dir, "leak.yaml"))
	for _, want := range []string{"leaked-not-used does not answer (priority 10): its trigger is false", `no  alert.severity in ["low", "medium"]   (alert.severity is "high")`, `yes alert.kind == "key.leaked"`} {
		if !strings.Contains(got.out, want) {
			t.Errorf("wanted %q in\n%s", want, got.out)
		}
	}
	if got := command(t, nil, "playbook", "explain", "--source", "generic", "--alert", filepath.Join(dir, "finding.json")); got.code != exitGood || !strings.HasPrefix(got.out, "leaked-not-used answers") {
		t.Errorf("a finding: exit %d, printed %s%s", got.code, got.out, got.talk)
	}
	if got := command(t, nil, "playbook", "explain", "--alert", filepath.Join(dir, "bad.yaml")); got.code != exitMisuse || !strings.Contains(got.talk, `bad.yaml:2:1: error: an alert has no key "keey"`) {
		t.Errorf("a misspelt alert: exit %d, said %s", got.code, got.talk)
	}
}

func TestPreviewShowsTheCardAndThePageOfEverySignoff(t *testing.T) {
	t.Parallel()
	dir := writeAll(t, map[string]string{"leak.yaml": leak})
	pages := filepath.Join(dir, "pages")
	got := command(t, nil, "playbook", "preview", "llmjacking", "--alert", filepath.Join(dir, "leak.yaml"), "--html", pages)
	for _, want := range []string{"# triage", "[ abuse ]  [ legitimate ]", "# replace", "PRODUCTION · Give every dependent a new key", "github_actions_secret shop", "gemini:demo:k1 (AIza…9xQ2)", "dependent.update", "[ Review and approve… ]", "# revoke", "# undo (after triage=legitimate)", "key.restore"} {
		if got.code != exitGood || !strings.Contains(got.out, want) {
			t.Fatalf("exit %d, wanted %q in\n%s%s", got.code, want, got.out, got.talk)
		}
	}
	for _, step := range []string{"replace", "revoke", "undo"} {
		body, err := os.ReadFile(filepath.Join(pages, step+".html"))
		if err != nil || !strings.Contains(string(body), "What will happen") || !strings.Contains(string(body), "<style>") || strings.Contains(string(body), "<form") {
			t.Errorf("%s: %v", step, err)
		}
	}
	var out struct {
		Shown []struct {
			Step   string
			Blocks []map[string]any
		}
	}
	got = command(t, nil, "playbook", "preview", "llmjacking", "--alert", filepath.Join(dir, "leak.yaml"), "-o", "json")
	if err := json.Unmarshal([]byte(got.out), &out); err != nil || len(out.Shown) != 4 || len(out.Shown[1].Blocks) == 0 || out.Shown[1].Blocks[0]["type"] != "header" {
		t.Errorf("%v: printed %s", err, got.out)
	}
	if got := command(t, nil, "playbook", "preview", "spend-runaway", "--alert", filepath.Join(dir, "leak.yaml")); got.code != exitFailed || !strings.Contains(got.talk, "does not start this playbook") {
		t.Errorf("exit %d, said %s", got.code, got.talk)
	}
}
