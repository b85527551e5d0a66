package playbooks_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// slow is far above what any file or expression within the limits may take, and far below a hang.
const slow = 5 * time.Second

// seeds are every playbook that the tests know.
func seeds(f *testing.F) {
	f.Helper()
	for _, glob := range []string{"testdata/err/*.yaml", "testdata/warn/*.yaml", "testdata/world/*.yaml", "testdata/ok/*.yaml", "library/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds at %s: %v", glob, err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
}

// FuzzParse reads any bytes: no panic, every fault inside the file, nothing read of a file that is refused as a whole.
func FuzzParse(f *testing.F) {
	seeds(f)
	w := world()
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		n, faults := playbooks.Parse(src, w)
		if n == 0 && len(faults) == 0 {
			t.Fatal("nothing was read, and nothing is said")
		}
		within(t, src, faults)
		if took := time.Since(start); took > slow {
			t.Fatalf("%d bytes took %s", len(src), took)
		}
	})
}

// FuzzLint compiles any bytes: a program comes exactly when nothing is an error, and it has nothing final that nobody signs.
func FuzzLint(f *testing.F) {
	seeds(f)
	w := world()
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		p, faults := playbooks.Compile("x.yaml", src, w)
		if (p == nil) != diag.HasErrors(faults) {
			t.Fatalf("program %v, faults %v", p != nil, faults)
		}
		within(t, src, faults)
		_ = diag.Text(src, faults)
		if p != nil {
			_ = playbooks.Describe(p, signoff.DefaultPolicy())
			if bad := playbooks.Unsigned(p); len(bad) > 0 {
				t.Fatalf("%s is final and nobody signs", bad[0].Path)
			}
		}
		if took := time.Since(start); took > slow {
			t.Fatalf("%d bytes took %s", len(src), took)
		}
	})
}

// within checks that every fault points into the file and is sayable.
func within(t *testing.T, src []byte, faults []diag.Fault) {
	t.Helper()
	lines := strings.Split(string(src), "\n")
	for _, f := range faults {
		if f.Line < 1 || f.Line > len(lines) || f.Column < 1 || f.Message == "" || f.Rule == "" {
			t.Fatalf("a fault points nowhere: %+v", f)
		}
		if utf8.ValidString(lines[f.Line-1]) && f.Column > utf8.RuneCountInString(lines[f.Line-1])+1 {
			t.Fatalf("a fault points behind the line %q: %+v", lines[f.Line-1], f)
		}
	}
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
