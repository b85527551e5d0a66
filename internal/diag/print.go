package diag

import (
	"fmt"
	"strings"
	"unicode"
)

// width is how much of a source line is shown around the caret.
const width = 120

// Text prints the faults of one file, each with its source line and a caret. Lines that may hold a secret are
// left out, also where another fault points at the same line.
func Text(src []byte, faults []Fault) string {
	lines := strings.Split(string(src), "\n")
	hidden := map[int]bool{}
	for _, f := range faults {
		if f.Hide {
			hidden[f.Line] = true
		}
	}
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(f.String() + "\n")
		if !hidden[f.Line] && f.Line >= 1 && f.Line <= len(lines) {
			b.WriteString(excerpt(lines[f.Line-1], f.Line, f.Column))
		}
		if f.Hint != "" {
			b.WriteString("  hint: " + clean(f.Hint) + "\n")
		}
	}
	return b.String()
}

func excerpt(line string, number, column int) string {
	runes := []rune(strings.ToValidUTF8(strings.TrimRight(line, "\r"), "\uFFFD"))
	at := min(max(column-1, 0), len(runes))
	from := max(0, at-width/2)
	shown := runes[from:min(len(runes), from+width)]
	before := clean(string(shown[:at-from]))
	margin := fmt.Sprintf("%5d | ", number)
	return margin + before + clean(string(shown[at-from:])) + "\n" +
		"      | " + strings.Repeat(" ", len([]rune(before))) + "^\n"
}

// clean shows control, bidi and zero-width characters as escapes: files may be hostile and terminals obey.
func clean(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
