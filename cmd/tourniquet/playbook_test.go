package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

const samples = "../../playbooks/testdata"

// groups is a configuration with the groups that the broken playbooks name.
func groups(t *testing.T) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tourniquet.yaml")
	body := "people:\n  - { id: a, slack: U1 }\n  - { id: b, slack: U2 }\n  - { id: c, slack: U3 }\n" +
		"groups:\n  secops: { people: [a, b, c] }\n  secops_lead: { people: [a] }\n  guests: { slack_usergroup: S1 }\n"
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"TOURNIQUET_CONFIG": file}
}

func TestLintFindsInEveryBrokenPlaybookWhatItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	configured := groups(t)
	for _, c := range []struct {
		folder string
		env    map[string]string
		exit   int
	}{{"err", nil, exitMisuse}, {"err", configured, exitMisuse}, {"warn", configured, exitGood}, {"world", configured, exitMisuse}} {
		files, err := filepath.Glob(filepath.Join(samples, c.folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no playbooks in %s: %v", c.folder, err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if name == "not_offered.yaml" { // the built-in providers offer everything or leave it to people
				continue
			}
			golden, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".out")
			if err != nil {
				t.Fatal(err)
			}
			got := command(t, c.env, "playbook", "lint", file)
			if got.code != c.exit {
				t.Errorf("%s: exit %d, want %d; said %q", name, got.code, c.exit, got.talk)
			}
			// Without a configuration groups are not looked at. The shipped actions have more outputs that are always there, and no
			// sub-playbooks lie beside these files.
			if c.env == nil || name == "optional_value.yaml" || name == "sub_playbook.yaml" {
				continue
			}
			first, _, _ := strings.Cut(string(golden), "\n")
			if place, _, _ := strings.Cut(first, ": "); !strings.Contains(got.out, filepath.Join(samples, c.folder, place)+": ") {
				t.Errorf("%s: nothing is said of %s:\n%s", name, place, got.out)
			}
		}
	}
}

func TestLintAsJSONIsAListWithPlaceRuleAndHint(t *testing.T) {
	t.Parallel()
	got := command(t, groups(t), "playbook", "lint", samples+"/err/unknown_action.yaml", "-o", "json")
	var faults []diag.Fault
	if got.code != exitMisuse || json.Unmarshal([]byte(got.out), &faults) != nil || len(faults) == 0 || faults[0].Line == 0 || faults[0].Rule == "" {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	if got := command(t, nil, "playbook", "lint", "-o", "json"); got.code != exitGood || strings.TrimSpace(got.out) != "[]" {
		t.Errorf("good playbooks: exit %d, printed %s", got.code, got.out)
	}
}

func TestTheShippedPlaybooksAreGoodAndLintIsSilentAboutThem(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"../../playbooks/library"}, {"../../playbooks/library/llmjacking.yaml"}} {
		if got := command(t, nil, append([]string{"playbook", "lint"}, args...)...); got.code != exitGood || got.out != "" || got.talk != "" {
			t.Errorf("%v: exit %d, printed %q, said %q", args, got.code, got.out, got.talk)
		}
	}
}

func TestGroupsAreCheckedOnlyWhereAConfigurationNamesThem(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tourniquet.yaml")
	if err := os.WriteFile(file, []byte("mode: observe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := command(t, map[string]string{"TOURNIQUET_CONFIG": file}, "playbook", "lint")
	if got.code != exitMisuse || !strings.Contains(got.out, `there is no group "secops"`) {
		t.Errorf("exit %d, printed %q", got.code, got.out)
	}
}

func TestAFolderIsLintedWithItsSubPlaybooksAndWithoutItsTests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, body := range map[string]string{
		"outer.yaml":      "schema: tourniquet/v1\nid: outer\ntitle: Outer\nsteps:\n  - { id: inner, playbook: inner }\n",
		"inner.yaml":      "schema: tourniquet/v1\nid: inner\ntitle: Inner\nsteps:\n  - { id: tell, uses: incident.update, with: { text: hello } }\n",
		"outer_test.yaml": "this is a test and no playbook\n",
		"notes.txt":       "nor is this\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "outer.yaml")} {
		if got := command(t, nil, "playbook", "lint", path); got.code != exitGood || got.out != "" {
			t.Errorf("%s: exit %d, printed %s", path, got.code, got.out)
		}
	}
	if got := command(t, nil, "playbook", "show", filepath.Join(dir, "outer.yaml")); got.code != exitGood || !strings.Contains(got.out, "Runs the playbook inner") {
		t.Errorf("exit %d, printed %s%s", got.code, got.out, got.talk)
	}
}

func TestLintingWhatIsNotThereIsMisuse(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		if got := command(t, nil, "playbook", "lint", path); got.code != exitMisuse || !strings.Contains(got.talk, path) {
			t.Errorf("exit %d, said %q", got.code, got.talk)
		}
	}
}

func TestPlaybooksAreListedAndShownById(t *testing.T) {
	t.Parallel()
	if got := command(t, nil, "playbook", "list"); got.code != exitGood || !strings.Contains(got.out, "llmjacking") {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	got := command(t, nil, "playbook", "show", "llmjacking")
	if got.code != exitGood || !strings.Contains(got.out, "key.revoke (FINAL: cannot be undone)") {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	var d described
	got = command(t, nil, "playbook", "show", "llmjacking", "-o", "json")
	if json.Unmarshal([]byte(got.out), &d) != nil || d.ID != "llmjacking" || !strings.HasPrefix(d.Digest, "sha256:") || d.Description == "" {
		t.Errorf("printed %s", got.out)
	}
	if got := command(t, nil, "playbook", "show", "nothing"); got.code != exitMisuse {
		t.Errorf("exit %d", got.code)
	}
}

func TestActionsAreListedWithTheirEffect(t *testing.T) {
	t.Parallel()
	var cards []card
	got := command(t, nil, "action", "list", "-o", "json")
	if json.Unmarshal([]byte(got.out), &cards) != nil {
		t.Fatalf("printed %s", got.out)
	}
	effect := map[string]string{}
	for _, c := range cards {
		effect[c.Name] = c.Effect
	}
	if effect["key.revoke"] != "final" || effect["key.contain"] != "undoable" || effect["key.probe"] != "observe" {
		t.Errorf("effects %v", effect)
	}
	if got := command(t, nil, "action", "show", "key.contain"); got.code != exitGood || !strings.Contains(got.out, "key.restore") || !strings.Contains(got.out, "contained_at") {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
	if got := command(t, nil, "action", "show", "key.contian"); got.code != exitMisuse || !strings.Contains(got.talk, `did you mean "key.contain"`) {
		t.Errorf("exit %d, said %s", got.code, got.talk)
	}
}
