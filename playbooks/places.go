package playbooks

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// places are where the characters of a scalar's value stand in the file, whatever its style: a fault inside an
// expression inside a folded block points at its own line and column. The last one is where the value ends.
type places []pos

// at is the place of a character; one behind the end is where the value ends.
func (p places) at(i int) pos {
	if len(p) == 0 {
		return pos{1, 1}
	}
	return p[min(max(i, 0), len(p)-1)]
}

func (p places) from(start, n int) places {
	start = min(max(start, 0), len(p))
	return p[start:min(start+n+1, len(p))]
}

func runes(s string) int { return utf8.RuneCountInString(s) }

// cursor walks the source while the value is matched against it.
type cursor struct {
	lines  []string
	line   int    // counts from 0
	text   []rune // of the line
	col    int    // counts from 0
	double bool
	single bool
}

func (s *sheet) placesOf(n *yaml.Node) places {
	c := &cursor{lines: s.lines, line: n.Line - 1, col: n.Column - 1}
	c.load()
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		c.next()
	case n.Style&yaml.DoubleQuotedStyle != 0:
		c.double, c.col = true, c.col+1
	case n.Style&yaml.SingleQuotedStyle != 0:
		c.single, c.col = true, c.col+1
	}
	out := make(places, 0, len(n.Value)+1)
	for _, r := range n.Value {
		out = append(out, c.take(r))
	}
	return append(out, pos{c.line + 1, c.col + 1})
}

func (c *cursor) load() {
	c.text = nil
	if c.line >= 0 && c.line < len(c.lines) {
		c.text = []rune(strings.TrimRight(c.lines[c.line], "\r"))
	}
}

func (c *cursor) next() {
	c.line, c.col = c.line+1, 0
	c.load()
}

// take is the place of the next character, and moves behind it. Line ends and indentation of the source stand for one
// space or line end of the value, or for nothing.
func (c *cursor) take(r rune) pos {
	if r == ' ' || r == '\n' || r == '\t' {
		return c.blank(r)
	}
	for c.line < len(c.lines) {
		switch {
		case c.col >= len(c.text):
			c.next()
		case c.double && c.text[c.col] == '\\' && c.col+1 >= len(c.text): // an escaped line end is nothing
			c.next()
		case c.text[c.col] != r && !c.quoted() && (c.text[c.col] == ' ' || c.text[c.col] == '\t'):
			c.col++
		default:
			return c.step()
		}
	}
	return pos{len(c.lines), 1}
}

// quoted reports whether the character is written as an escape.
func (c *cursor) quoted() bool { return c.double && c.text[c.col] == '\\' }

func (c *cursor) blank(r rune) pos {
	at := pos{c.line + 1, c.col + 1}
	switch {
	case c.col < len(c.text) && (c.text[c.col] == r || c.quoted()):
		return c.step()
	case c.col >= len(c.text) || strings.TrimSpace(string(c.text[c.col:])) == "":
		if c.line+1 < len(c.lines) {
			c.next()
		}
	}
	return at
}

// step moves behind one written character: an escape is several.
func (c *cursor) step() pos {
	at := pos{c.line + 1, c.col + 1}
	n := 1
	switch {
	case c.quoted():
		n = 2
		if c.col+1 < len(c.text) {
			n += map[rune]int{'x': 2, 'u': 4, 'U': 8}[c.text[c.col+1]]
		}
	case c.single && c.text[c.col] == '\'':
		n = 2
	}
	c.col += n
	return at
}
