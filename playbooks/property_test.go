package playbooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// writer draws a playbook: groups, parallels and loops around every kind of action, with sign-offs here and there.
type writer struct {
	t *rapid.T
	n int
	b strings.Builder
}

func (w *writer) steps(depth int, indent string) {
	for range rapid.IntRange(1, 3).Draw(w.t, "steps") {
		w.n++
		fmt.Fprintf(&w.b, "%s- id: s%d\n", indent, w.n)
		if rapid.IntRange(0, 2).Draw(w.t, "signed") == 0 {
			w.b.WriteString(indent + "  signoff: { by: [{ group: secops, count: 1 }] }\n")
		}
		kind := rapid.IntRange(0, 5).Draw(w.t, "kind")
		if depth == 0 {
			kind = kind % 3
		}
		switch kind {
		case 3:
			w.b.WriteString(indent + "  steps:\n")
			w.steps(depth-1, indent+"    ")
		case 4:
			w.b.WriteString(indent + "  parallel:\n")
			w.steps(depth-1, indent+"    ")
		case 5:
			fmt.Fprintf(&w.b, "%s  for_each: ${{ key.dependents }}\n%s  as: d%d\n%s  steps:\n", indent, indent, w.n, indent)
			w.steps(depth-1, indent+"    ")
		default:
			uses := rapid.SampledFrom([]string{"key.probe", "key.contain", "key.revoke", "key.restore"}).Draw(w.t, "uses")
			fmt.Fprintf(&w.b, "%s  uses: %s\n%s  with: { key: \"${{ key }}\" }\n", indent, uses, indent)
		}
	}
}

func TestNoCompiledFinalActionIsWithoutASignoff(t *testing.T) {
	t.Parallel()
	compiled, finals := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t}
		w.b.WriteString("schema: tourniquet/v1\nid: p\ntitle: t\nsteps:\n")
		w.steps(rapid.IntRange(0, 2).Draw(t, "depth"), "  ")
		p, faults := playbooks.Compile("p.yaml", []byte(w.b.String()), world())
		if p == nil {
			if !diag.HasErrors(faults) {
				t.Fatal("refused without a reason")
			}
			return
		}
		compiled++
		for place := range playbooks.Steps(p) {
			if place.Step.Action == nil || place.Step.Action.Effect != "final" {
				continue
			}
			finals++
			signed := place.Step.Signoff != nil
			for _, up := range place.Parents {
				signed = signed || up.Signoff != nil
			}
			if !signed {
				t.Fatalf("%s is final and nobody signs:\n%s", place.Path, w.b.String())
			}
		}
	})
	if compiled == 0 || finals == 0 {
		t.Fatalf("the generator is useless: %d compiled, %d final actions", compiled, finals)
	}
}

func TestASecretInAPlaybookIsRefusedAndNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"AI" + "za", "sk" + "-", "gh" + "p_", "xo" + "xb-"} {
		secret := prefix + strings.Repeat("a1B2", 9)
		src := []byte("schema: tourniquet/v1\nid: p\ntitle: t\nsteps:\n  - { id: a, uses: incident.updat, with: { text: \"" + secret + "\" } }\n")
		p, faults := playbooks.Compile("p.yaml", src, world())
		out := diag.Text(src, faults)
		if p != nil || !strings.Contains(out, "[secret]") || !strings.Contains(out, "[unknown-action]") {
			t.Errorf("%s… is not refused:\n%s", prefix, out)
		}
		if strings.Contains(out, secret[4:16]) {
			t.Errorf("the secret is in the answer:\n%s", out)
		}
	}
}

func TestHostileFilesAreRefusedWithinABudget(t *testing.T) {
	t.Parallel()
	head := "schema: tourniquet/v1\nid: p\ntitle: t\nsteps:\n"
	deep := head
	for i := range 60 {
		deep += strings.Repeat(" ", 2*i+2) + fmt.Sprintf("- id: s%d\n", i) + strings.Repeat(" ", 2*i+4) + "steps:\n"
	}
	for name, src := range map[string]string{
		"large":     head + strings.Repeat("# x\n", 70_000),
		"brackets":  strings.Repeat("[", 200_000),
		"dashes":    strings.Repeat("- ", 100_000),
		"deep":      deep,
		"steps":     head + strings.Repeat("  - { id: a, wait: 1m }\n", 600),
		"laughs":    "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
		"long line": head + "  - { id: a, uses: incident.update, with: { text: \"" + strings.Repeat("${{ key.id }}", 15_000) + "\" } }\n",
		"expr":      head + "  - id: a\n    uses: incident.update\n    with:\n      text: |\n" + strings.Repeat("        ${{ key.id }}\n", 9_000),
		"checked":   head + "  - id: a\n    uses: incident.update\n    with:\n      txt: |\n" + strings.Repeat("        ${{ steps.b.outputs.state }}\n", 1400),
		"empty":     "",
		"not utf-8": "\xff\xfe",
		"list":      "- a\n",
		"nothing":   "null\n",
	} {
		start := time.Now()
		p, faults := playbooks.Compile("p.yaml", []byte(src), world())
		if p != nil || !diag.HasErrors(faults) {
			t.Errorf("%s is not refused", name)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}
