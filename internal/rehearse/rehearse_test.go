package rehearse_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

const library = "../../playbooks/library"

func TestX(t *testing.T) {
	files, _ := filepath.Glob(library + "/*_test.yaml")
	for _, name := range files {
		body, _ := os.ReadFile(name)
		f, faults := rehearse.Read(name, body)
		if f == nil {
			t.Fatal(diag.Text(body, faults))
		}
		src, _ := os.ReadFile(filepath.Join(library, f.Playbook))
		p, faults := playbooks.Compile(f.Playbook, src, playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 3, "secops_lead": 1}})
		if p == nil {
			t.Fatal(diag.Text(src, faults))
		}
		if faults := f.Bind(p, activities.Catalog()); len(faults) > 0 {
			t.Fatal(diag.Text(body, faults))
		}
		r := f.Run(rehearse.Options{Policy: signoff.DefaultPolicy()})
		for _, x := range r.Tests {
			t.Logf("%+v", x)
		}
		t.Logf("%s %v %.2f", r.Coverage, r.Coverage.Missing, r.Seconds)
	}
}
