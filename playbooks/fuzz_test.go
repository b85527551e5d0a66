package playbooks_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// slow is far above what any file or expression within the limits may take, and far below a hang.
const slow = 5 * time.Second

func FuzzCompile(f *testing.F) {
	files, _ := filepath.Glob("testdata/err/*.yaml")
	files = append(files, "library/llmjacking.yaml")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	w := world()
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		p, faults := playbooks.Compile("x.yaml", src, w)
		if (p == nil) != diag.HasErrors(faults) {
			t.Fatalf("program %v, faults %v", p != nil, faults)
		}
		_ = diag.Text(src, faults)
		if p != nil {
			_ = playbooks.Describe(p)
		}
		if took := time.Since(start); took > slow {
			t.Fatalf("%d bytes took %s", len(src), took)
		}
	})
}

func FuzzEval(f *testing.F) {
	for _, code := range append(bombs(), `steps.usage.outputs?.requests ?? "unknown"`, `alert.at - duration("3d")`,
		`filter(list, # > 2)`, `let a = [1, 2]; a[0] + len(list)`, `"a" in list ? {x: 1} : nil`, `now()`) {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		now := time.Unix(1_700_000_000, 0)
		start := time.Now()
		out, err := playbooks.Eval(code, environment(), now)
		if took := time.Since(start); took > slow {
			t.Fatalf("%q took %s", code, took)
		}
		_, again := playbooks.Eval(code, environment(), now)
		if (err == nil) != (again == nil) {
			t.Fatalf("%q once gives %v and once %v", code, err, again)
		}
		if err != nil && out != nil {
			t.Fatalf("%q gives a value and an error", code)
		}
		_, checked := playbooks.CompileExpr(code, playbooks.Shape{})
		var where *playbooks.ExprError
		if checked != nil && !errors.As(checked, &where) {
			t.Fatalf("%q: an error without a place: %v", code, checked)
		}
	})
}
