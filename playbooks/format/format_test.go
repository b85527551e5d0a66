package format_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/playbooks/format"
)

var update = flag.Bool("update", false, "write the .out files anew")

func read(t testing.TB, glob string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing at %s: %v", glob, err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		if out[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestAFileGetsTheShapeOfItsGoldenFile(t *testing.T) {
	t.Parallel()
	for name, src := range read(t, "testdata/*.yaml") {
		got, err := format.Source(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden := strings.TrimSuffix(name, ".yaml") + ".out"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// steady formats twice: the second time changes nothing.
func steady(t testing.TB, name string, src []byte) ([]byte, error) {
	once, err := format.Source(src)
	if err != nil {
		return nil, err
	}
	twice, err := format.Source(once)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("%s: the second time gives (%v)\n%s\nafter\n%s\nfrom\n%s", name, err, twice, once, src)
	}
	return once, nil
}

func TestFormattingTwiceIsFormattingOnce(t *testing.T) {
	t.Parallel()
	formatted := 0
	for _, glob := range []string{"testdata/*.yaml", "../testdata/ok/*.yaml", "../testdata/err/*.yaml", "../testdata/warn/*.yaml", "../testdata/world/*.yaml", "../library/*.yaml"} {
		for name, src := range read(t, glob) {
			_, err := steady(t, name, src)
			if err == nil {
				formatted++
			} else if !strings.Contains(glob, "err") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if formatted < 80 {
		t.Errorf("only %d files were formatted", formatted)
	}
}

func TestCommentsAreKept(t *testing.T) {
	t.Parallel()
	src := read(t, "testdata/messy.yaml")["testdata/messy.yaml"]
	got, err := format.Source(src)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := strings.Count(string(src), "#"), strings.Count(string(got), "#"); a != b {
		t.Errorf("%d comments became %d", a, b)
	}
}

func TestWhatCannotBeFormattedSaysWhyAndStaysAsItIs(t *testing.T) {
	t.Parallel()
	for src, why := range map[string]string{
		"":                                   "empty",
		"- a\n":                              "not a map",
		"{ a: b }\n":                         "not a map",
		"a: [\n":                             "not YAML",
		"a: b\n---\nc: d\n":                  "second document",
		"a: b\n? [c]\n: d\n":                 "no plain word",
		"\xff":                               "not UTF-8",
		"a:\n  - !!map\n    b: c\n":          "cannot be formatted",
		"a: " + strings.Repeat("x", 300_000): "at most",
	} {
		if got, err := format.Source([]byte(src)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.40q gives %q, %v", src, got, err)
		}
	}
}
