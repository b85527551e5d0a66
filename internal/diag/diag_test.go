package diag_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

func TestTextPointsAtTheColumnWithACaret(t *testing.T) {
	t.Parallel()
	src := []byte("id: a\nsteps: bad\n")
	got := diag.Text(src, []diag.Fault{{File: "p.yaml", Line: 2, Column: 8, Rule: "shape", Severity: diag.Error, Message: "wrong", Hint: "a list"}})
	want := "p.yaml:2:8: error: wrong [shape]\n    2 | steps: bad\n      |        ^\n  hint: a list\n"
	if got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func TestALineThatMayHoldASecretIsNeverPrintedForAnyFault(t *testing.T) {
	t.Parallel()
	src := []byte("hidden words\n")
	got := diag.Text(src, []diag.Fault{
		{Line: 1, Column: 1, Rule: "a"}, {Line: 1, Column: 1, Rule: "secret", Hide: true},
	})
	if strings.Contains(got, "hidden words") {
		t.Fatalf("the line was printed:\n%s", got)
	}
}

func TestHostileCharactersAreEscaped(t *testing.T) {
	t.Parallel()
	got := diag.Text([]byte("a\x1b[2Jb\u202e\xff"), []diag.Fault{{Line: 1, Column: 99, Message: "x\x07"}})
	if strings.ContainsAny(got, "\x1b\x07\u202e") || !utf8.ValidString(got) {
		t.Fatalf("control characters survived: %q", got)
	}
}

func TestSortIsByPlaceAndDropsRepeats(t *testing.T) {
	t.Parallel()
	f := diag.Fault{File: "a", Line: 3, Rule: "r"}
	got := diag.Sort([]diag.Fault{f, {File: "a", Line: 1}, f})
	if len(got) != 2 || got[0].Line != 1 {
		t.Fatalf("got %v", got)
	}
}

func TestGuessFindsATypoAndNothingElse(t *testing.T) {
	t.Parallel()
	known := []string{"key.contain", "key.revoke"}
	if g := diag.Guess("key.contian", known); g != "key.contain" {
		t.Errorf("got %q", g)
	}
	if g := diag.Guess("zzzzzzzzz", known); g != "" {
		t.Errorf("got %q", g)
	}
}

func TestJSONIsAnArrayEvenWhenEmpty(t *testing.T) {
	t.Parallel()
	if b, err := diag.JSON(nil); err != nil || string(b) != "[]" {
		t.Fatalf("%s %v", b, err)
	}
}
