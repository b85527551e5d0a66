package playbooks_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/format"
)

// The promise about hostile files of 256 KiB.
const (
	mostTime   = 2 * time.Second
	mostMemory = 64 << 20
)

// hostile are files that cost as much as they can, each as large as a playbook may be.
func hostile() map[string]string {
	const size = 256 << 10
	head := "schema: tourniquet/v1\nid: p\ntitle: t\nsteps:\n"
	fill := func(head, unit string) string { return head + strings.Repeat(unit, (size-len(head))/len(unit)) }
	wide := func(head, unit string) string { // lines just short of the limit
		return fill(head, strings.Repeat(unit, 4000/len(unit))+"\n")
	}
	one := head + "  - id: a\n    uses: incident.update\n    with:\n      text: |\n"
	deep := head
	for i := range 350 {
		deep += strings.Repeat(" ", 2*i+2) + "-\n"
	}
	return map[string]string{
		"comments": fill(head, "#\n"), "list": fill("", "-\n"), "list of lists": fill("", "- -\n"), "keys": fill("", "? \n"),
		"flow": wide("a:\n  [", "x,") + "]", "flow maps": wide("a:\n  [", "{a: },"), "empty flows": wide("a:\n  [", "[],"),
		"open brackets": fill("", "[\n"), "open braces": fill("", "{\n"), "mixed": fill("", "[{\n"), "deep": deep,
		"one key": fill(head, "  a: b\n"), "other keys": manyKeys(size), "steps": fill(head, "  - { id: a, wait: 1m }\n"),
		"no steps": fill(head, "  - x\n"), "kinds": fill(head, "  - { }\n"),
		"expressions": fill(one, "        ${{ key.id }}\n"), "steps read": fill(one, "        ${{ steps.b.outputs.state }}\n"),
		"sums": fill(one, "        ${{ "+strings.Repeat("1+", 140)+"1 }}\n"), "open": fill(one, "        ${{\n"),
		"quoted": wide("a: \"", "\\u00e9") + "\"", "folded": fill("a: >\n", "  x\n\n"), "anchors": fill("", "- &a\n"),
		"aliases": "a: &a x\nb:\n" + fill("", "- *a\n")[:size-100], "tags": fill("", "- !!a\n"), "documents": fill("", "---\n"),
		"tabs": fill("", "\t"), "quotes": fill("", "'"), "nothing": fill("", "\n"), "words": wide("", "a "), "colons": wide("", "a: "),
		"directives": fill("", "%A\n"), "merges": fill("", "<<: {}\n"), "inputs": manyInputs(size),
		"vars": manyVars(size), "not utf-8": strings.Repeat("\xff", size), "zeros": strings.Repeat("\x00", size),
		"secrets": fill(head, "  - sk-"+strings.Repeat("a", 30)+"\n"), "hidden": fill("", "\u202e\n"),
	}
}

func numbered(head, form string, size int) string {
	b := strings.Builder{}
	b.WriteString(head)
	for i := 0; b.Len() < size-len(form)-16; i++ {
		fmt.Fprintf(&b, form, i)
	}
	return b.String()
}

func manyKeys(size int) string   { return numbered("", "k%d: 1\n", size) }
func manyInputs(size int) string { return numbered("inputs:\n", "  k%d: {}\n", size) }
func manyVars(size int) string   { return numbered("vars:\n", "  v%d: \"${{ 1 }}\"\n", size) }

func TestHostileFilesOf256KiBGetAShortAnswer(t *testing.T) {
	t.Parallel()
	for name, src := range hostile() {
		p, faults := playbooks.Compile("p.yaml", []byte(src), world())
		if (p == nil) != diag.HasErrors(faults) {
			t.Errorf("%s: program %v and errors %v", name, p != nil, diag.HasErrors(faults))
		}
		if out := diag.Text([]byte(src), faults); len(out) > 1<<20 {
			t.Errorf("%s makes an answer of %d bytes", name, len(out))
		}
	}
}

// A child compiles and formats one file in a process of its own. It says how much memory that took from the system at
// most, and how much time of the processor: what the clock on the wall says depends on who else is working.
func TestHostileFilesOf256KiBTakeLittleTimeAndMemory(t *testing.T) {
	if name := os.Getenv("HOSTILE_FILE"); name != "" {
		src, w := []byte(hostile()[name]), world()
		memory, cpu := taken(), worked()
		_, faults := playbooks.Compile("p.yaml", src, w)
		_ = diag.Text(src, faults)
		lint := worked() - cpu
		_, _ = format.Source(src)
		fmt.Printf("took %d bytes, %d %d ns\n", taken()-memory, lint, worked()-cpu-lint)
		return
	}
	t.Parallel()
	for name := range hostile() {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestHostileFilesOf256KiBTakeLittleTimeAndMemory$")
		cmd.Env = append(os.Environ(), "HOSTILE_FILE="+name)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var memory int
		var lint, shape time.Duration
		if _, err := fmt.Sscanf(string(out), "took %d bytes, %d %d ns", &memory, &lint, &shape); err != nil {
			t.Fatalf("%s: the child said %q", name, out)
		}
		t.Logf("%s: %d MiB, lint %s, fmt %s", name, memory>>20, lint, shape)
		if memory > mostMemory || lint > mostTime || shape > mostTime {
			t.Errorf("%s takes %d MiB, %s to lint and %s to format", name, memory>>20, lint, shape)
		}
	}
}

// taken is what the process has from the system; it does not shrink.
func taken() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}

// worked is the processor's time that the process has used.
func worked() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
