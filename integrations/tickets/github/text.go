package github

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

const (
	maxTitle   = 200   // runes; GitHub takes 256
	maxBody    = 60000 // runes; GitHub takes 65,536 characters
	maxComment = 280   // runes of a resolution comment, as in GitHub's other dismissal comments
)

var markerForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,150}$`)

// markerLine is the first line of everything that we write, by which a repeat finds it again. GitHub does not show it.
func markerLine(marker string) (string, error) {
	if !markerForm.MatchString(marker) || strings.Contains(marker, "--") {
		return "", keys.Permanent(fmt.Errorf("the marker %q has characters that an HTML comment cannot keep", marker))
	}
	return "<!-- tourniquet:" + marker + " -->", nil
}

// marked reports whether body begins with line. Elsewhere in a body the line means nothing: alerts carry hostile text.
func marked(body, line string) bool {
	first, _, _ := strings.Cut(body, "\n")
	return strings.TrimRight(first, "\r") == line
}

// block shows text as it is: inside a fence longer than any in the text nothing is markup and nobody is mentioned.
func block(line, text string) string {
	text = cut(clean(text, true), maxBody)
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return line + "\n" + fence + "text\n" + text + "\n" + fence + "\n"
}

// titleText is one line without control characters, and with no name that GitHub could take for a mention.
func titleText(s string) string {
	s = strings.Join(strings.Fields(clean(s, false)), " ")
	s = strings.NewReplacer("@", "@\u200b", "`", "'", "<", "‹", ">", "›").Replace(s)
	if s = cut(s, maxTitle); s == "" {
		return "Incident"
	}
	return s
}

// clean removes what changes how text is read: control characters and bidirectional overrides.
func clean(s string, lines bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case lines && (r == '\n' || r == '\t'):
			return r
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}

func cut(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
