package playbooks_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

var update = flag.Bool("update", false, "write the .out files anew")

func TestEveryFaultIsReportedAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/err/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pairs found: %v", err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		p, faults := playbooks.Compile(filepath.Base(f), src, world())
		if len(faults) == 0 {
			t.Errorf("%s has no fault", f)
		}
		if (p == nil) != diag.HasErrors(faults) {
			t.Errorf("%s: a program comes exactly when no fault is an error", f)
		}
		got, out := diag.Text(src, faults), strings.TrimSuffix(f, ".yaml")+".out"
		if *update {
			if err := os.WriteFile(out, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(out)
		if err != nil || string(want) != got {
			t.Errorf("%s: got\n%s\nwant\n%s", f, got, want)
		}
	}
}
