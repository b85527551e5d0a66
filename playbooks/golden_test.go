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
// broken are the folders of playbooks that something is to be said of: err refuses whoever looks, warn is not refused, and world is
// refused where groups and providers are configured.
func broken() []string { return []string{"err", "warn", "world"} }

func samples(t *testing.T, folders ...string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no playbooks in %s: %v", folder, err)
		}
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimSuffix(filepath.Base(f), ".yaml")] = src
		}
	}
	return out
}

func TestEveryFaultIsReportedAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	for _, folder := range broken() {
		for name, src := range samples(t, folder) {
			p, faults := playbooks.Compile(name+".yaml", src, world())
			if len(faults) == 0 {
				t.Errorf("%s has no fault", name)
			}
			if (p == nil) != diag.HasErrors(faults) || (p == nil) == (folder == "warn") {
				t.Errorf("%s/%s: a program comes exactly when no fault is an error", folder, name)
			}
			golden(t, filepath.Join("testdata", folder, name+".out"), diag.Text(src, faults))
		}
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
