package report

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Neutral makes what cannot be seen visible: control, format (bidirectional, zero-width, tag) and blank letters come
// out as \u202e and the like. It runs over finished output, so that no value can be forgotten; inside JSON strings the
// result means the same text as before. Line feeds and tabs stay.
func Neutral(in []byte) []byte {
	in = bytes.ToValidUTF8(in, []byte("\uFFFD"))
	if bytes.IndexFunc(in, hidden) < 0 {
		return in
	}
	out := make([]byte, 0, len(in)+64)
	for len(in) > 0 {
		r, n := utf8.DecodeRune(in)
		switch {
		case !hidden(r):
			out = append(out, in[:n]...)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		in = in[n:]
	}
	return out
}

func hidden(r rune) bool {
	if r < utf8.RuneSelf { // nearly every letter of a page
		return r < ' ' && r != '\n' && r != '\t' || r == '\u007F'
	}
	switch r {
	case '\n', '\t':
		return false
	case '\u2028', '\u2029', '\u034F', '\u115F', '\u1160', '\u3164', '\uFFA0', '\u2800': // separators and letters without ink
		return true
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r)
}
