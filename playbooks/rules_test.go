package playbooks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func file(rule string) string { return strings.ReplaceAll(rule, "-", "_") }

func TestEveryRuleHasAPlaybookThatBreaksItAndOneThatDoesNot(t *testing.T) {
	t.Parallel()
	bad, good := samples(t, broken()...), samples(t, "ok")
	for _, r := range playbooks.Rules() {
		_, faults := playbooks.Compile("p.yaml", bad[file(r.Name)], world())
		broken := false
		for _, f := range faults {
			broken = broken || f.Rule == r.Name && f.Severity == r.Severity
		}
		if !broken {
			t.Errorf("testdata has no %s.yaml that breaks %s", file(r.Name), r.Name)
		}
		if good[file(r.Name)] == nil {
			t.Errorf("there is no testdata/ok/%s.yaml", file(r.Name))
		}
	}
}

func TestEveryFaultBelongsToARuleThatIsDeclared(t *testing.T) {
	t.Parallel()
	declared := map[string]string{}
	for _, r := range playbooks.Rules() {
		if declared[r.Name] != "" {
			t.Errorf("%s is declared twice", r.Name)
		}
		declared[r.Name] = r.Severity
	}
	for name, src := range samples(t, broken()...) {
		_, faults := playbooks.Compile("p.yaml", src, world())
		for _, f := range faults {
			if declared[f.Rule] != f.Severity {
				t.Errorf("%s: the rule %s is not declared as %s", name, f.Rule, f.Severity)
			}
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named, found := regexp.MustCompile(`(?:s\.(?:err|warn)\(|const rule = )"([a-z-]+)"`), 0
	for _, f := range sources {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(src), -1) {
			found++
			if declared[m[1]] == "" {
				t.Errorf("%s: the rule %s is not declared in Rules", f, m[1])
			}
		}
	}
	if found < len(declared) {
		t.Errorf("only %d faults are found in the sources: the pattern is out of date", found)
	}
}

func TestThePageOfRulesIsPrintedFromTheRules(t *testing.T) {
	t.Parallel()
	golden(t, "../docs/playbook-rules.md", rulesPage(samples(t, broken()...), samples(t, "ok")))
}

func rulesPage(bad, good map[string][]byte) string {
	var b strings.Builder
	b.WriteString("# What a playbook may not do\n\n" +
		"`tourniquet playbook lint` finds all of this in one run, sorted, as `file:line:column: message [rule]` with the source line and a\n" +
		"caret; with `-o json` as a list of `{file, line, column, rule, severity, message, hint}`. An error refuses the playbook, a warning does\n" +
		"not. Exit 0: no error. Exit 2: at least one.\n\n" +
		"This page is printed from the rules and from their test cases (`go test ./playbooks -update`). How a playbook is written is in\n" +
		"[playbooks.md](playbooks.md), every key in [playbook-keys.md](playbook-keys.md).\n\n" +
		"| rule | refuses |\n|---|---|\n")
	for _, r := range playbooks.Rules() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", r.Name, r.Name, cell(r.Says))
	}
	for _, r := range playbooks.Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n", r.Name)
		if r.Severity == diag.Warning {
			b.WriteString("A warning. ")
		}
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(r.Says+" "+r.Because))
		fmt.Fprintf(&b, "\nInstead: %s\n", r.Instead)
		fmt.Fprintf(&b, "\n```text\n%s```\n", exampleOf(r.Name, bad[file(r.Name)]))
		if r.Name != "budget" { // its good file is long
			fmt.Fprintf(&b, "\nGood:\n\n```yaml\n%s```\n", steps3(string(good[file(r.Name)])))
		}
	}
	return b.String()
}

// exampleOf is the first thing that is said about the broken file under that rule.
func exampleOf(rule string, src []byte) string {
	_, faults := playbooks.Compile(file(rule)+".yaml", src, world())
	for i, f := range faults {
		if f.Rule == rule {
			return diag.Text(src, faults[i:i+1])
		}
	}
	return "\n"
}

// steps3 leaves out the three lines with which every playbook begins, where they are only those.
func steps3(src string) string {
	return strings.TrimPrefix(src, "schema: tourniquet/v1\nid: p\ntitle: t\n")
}

func cell(s string) string { return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(s) }
