package playbooks_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// A playbook of 300 lines is linted within 30 ms; `make bench` prints the figure beside the others.
func BenchmarkLintOf300Lines(b *testing.B) {
	src, err := os.ReadFile("testdata/ok/three_hundred_lines.yaml")
	if err != nil || strings.Count(string(src), "\n") != 300 {
		b.Fatalf("the playbook has %d lines: %v", strings.Count(string(src), "\n"), err)
	}
	w := world()
	for b.Loop() {
		if p, faults := playbooks.Compile("p.yaml", src, w); p == nil || len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}
