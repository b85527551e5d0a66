package playbooks

import (
	"strings"
	"unicode/utf8"
)

// ruleHiddenCharacters refuses what makes a reader see another file than the parser: characters that turn the
// direction of text or take no room, and line ends that an editor may not show as such.
func (s *sheet) ruleHiddenCharacters() {
	const rule = "hidden-character"
	for i, line := range s.lines {
		line = strings.TrimSuffix(line, "\r")
		if strings.IndexFunc(line, hidden) < 0 {
			continue
		}
		for j, r := range line {
			if !hidden(r) || r == '\ufeff' && i == 0 && j == 0 {
				continue
			}
			s.err(rule, pos{i + 1, utf8.RuneCountInString(line[:j]) + 1}, "take it out, or write it as an escape in double quotes", "the character U+%04X is not seen by a reader", r)
			break
		}
	}
}

func hidden(r rune) bool {
	switch {
	case r == '\r', r == 0x85, r == 0x2028, r == 0x2029: // line ends to YAML
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c: // direction
		return true
	case r == 0x200b, r == 0x2060, r == 0xfeff, r == 0xad: // no room
		return true
	}
	return r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f
}
