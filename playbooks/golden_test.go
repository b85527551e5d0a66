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

var update = flag.Bool("update", false, "write the golden files and the pages that are made from the code anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s is not what the code says (%v); look, then refresh it with -update. Got\n%s", file, err, got)
	}
}

// samples are the playbooks of a folder of testdata, by name.
func samples(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no playbooks in %s: %v", folder, err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".yaml")] = src
	}
	return out
}

func TestEveryFaultIsReportedAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	for name, src := range samples(t, "err") {
		p, faults := playbooks.Compile(name+".yaml", src, world())
		if len(faults) == 0 {
			t.Errorf("%s has no fault", name)
		}
		if (p == nil) != diag.HasErrors(faults) {
			t.Errorf("%s: a program comes exactly when no fault is an error", name)
		}
		golden(t, filepath.Join("testdata", "err", name+".out"), diag.Text(src, faults))
	}
}

func TestAGoodPlaybookHasNoFault(t *testing.T) {
	t.Parallel()
	for name, src := range samples(t, "ok") {
		if p, faults := playbooks.Compile(name+".yaml", src, world()); p == nil || len(faults) > 0 {
			t.Errorf("%s", diag.Text(src, faults))
		}
	}
}
