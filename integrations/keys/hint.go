package keys

import "strings"

// Ends cuts a redacted value at its stars, dots or ellipsis.
func Ends(redacted string) (first, last string) {
	cut := func(r rune) bool { return r == '*' || r == '.' || r == '…' }
	from := strings.IndexFunc(redacted, cut)
	if from < 0 {
		return redacted, ""
	}
	rest := strings.FieldsFunc(redacted[from:], cut)
	if len(rest) == 0 {
		return redacted[:from], ""
	}
	return redacted[:from], rest[len(rest)-1]
}

// fewestEnd is how many last characters two hints must share before they may mean one key.
const fewestEnd = 3

// HintFits reports whether a hint may mean the key that a provider shows as shown. Providers show the first and last few
// characters alone, so that several keys may fit.
func HintFits(shown, hint string) bool {
	head, tail := Ends(shown)
	first, last := Ends(hint)
	if len(last) < fewestEnd || len(tail) < fewestEnd {
		return false
	}
	return (strings.HasPrefix(head, first) || strings.HasPrefix(first, head)) && (strings.HasSuffix(tail, last) || strings.HasSuffix(last, tail))
}
