package slack

import (
	"fmt"
	"strings"
	"unicode"
)

// show makes text from outside safe to look at: characters that hide, reorder or join others are written out as
// ‹U+202E›, and words that mix look-alike scripts are marked. Markup needs no escape: nothing here becomes mrkdwn.
func show(s string) string {
	var out, word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out.WriteString(word.String())
			if mixed(word.String()) {
				out.WriteString(" ‹mixed scripts›")
			}
			word.Reset()
		}
	}
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '\n':
			flush()
			out.WriteRune(r)
		case hidden(r):
			fmt.Fprintf(&word, "‹U+%04X›", r)
		case unicode.IsSpace(r):
			flush()
			out.WriteRune(' ')
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return out.String()
}

// line is show without line breaks, for places where a break could imitate our own layout.
func line(s string) string {
	return strings.Join(strings.Fields(show(s)), " ")
}

// hidden tells characters that a reader cannot see but that change what is read: controls, format characters (bidi,
// zero width, tags), fillers, private use and variation selectors.
func hidden(r rune) bool {
	switch {
	case r == '\n', r == '\t', r >= ' ' && r < 0x7F:
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Variation_Selector):
		return true
	case r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0, r == 0x2800, r == 0x034F:
		return true
	}
	return false
}

// mixed tells a word whose letters come from Latin and from a script with look-alikes of it.
func mixed(word string) bool {
	latin, other := false, false
	for _, r := range word {
		if r < 0x80 {
			latin = latin || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
			continue
		}
		latin = latin || (unicode.Is(unicode.Latin, r) && r < 0x2000)
		other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
	}
	return latin && other
}

// cut shortens to n characters and says how many are missing.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	const room = 40 // for the words that say what is missing
	if n <= room {
		return string(runes[:max(n-1, 0)]) + "…"
	}
	keep := n - room
	return fmt.Sprintf("%s… (%d more characters)", string(runes[:keep]), len(runes)-keep)
}

// pieces splits text into parts of at most n characters, at line breaks where it can.
func pieces(s string, n int) []string {
	var out []string
	runes := []rune(s)
	for len(runes) > n {
		at := n
		for i := n; i > n/2; i-- {
			if runes[i-1] == '\n' {
				at = i
				break
			}
		}
		out = append(out, string(runes[:at]))
		runes = runes[at:]
	}
	if len(runes) > 0 {
		out = append(out, string(runes))
	}
	return out
}
