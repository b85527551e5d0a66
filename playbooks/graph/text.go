package graph

import (
	"fmt"
	"strings"
	"unicode"
)

// clean makes foreign text fit to be drawn: one line, and what cannot be seen is written out.
func clean(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ") {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// wrap breaks a text into lines of at most so many characters, and the last of at most so many lines ends in "…" where
// there was more.
func wrap(s string, width, most int) []string {
	var out []string
	line, used := "", 0
	flush := func() {
		if line != "" {
			out = append(out, line)
		}
		line, used = "", 0
	}
	for _, word := range strings.Fields(clean(s)) {
		for _, part := range pieces(word, width) {
			n := wide(part)
			if used > 0 && used+1+n > width {
				flush()
			}
			if used > 0 {
				line, used = line+" ", used+1
			}
			line, used = line+part, used+n
		}
		if len(out) > most {
			break
		}
	}
	flush()
	if len(out) > most {
		out = out[:most]
		last := []rune(out[most-1])
		for wide(string(last)) > width-1 {
			last = last[:len(last)-1]
		}
		out[most-1] = strings.TrimRight(string(last), " ") + "…"
	}
	return out
}

// pieces are a word that is longer than a line.
func pieces(word string, width int) []string {
	var out []string
	part, used := "", 0
	for _, r := range word {
		n := wide(string(r))
		if used+n > width {
			out = append(out, part)
			part, used = "", 0
		}
		part, used = part+string(r), used+n
	}
	return append(out, part)
}

// wide is about how many letters a text takes: signs of East Asian scripts and pictures take two.
func wide(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		case r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f000):
			n += 2
		default:
			n++
		}
	}
	return n
}
