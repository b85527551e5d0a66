package format

import "strings"

// printer writes blocks with two spaces a level.
type printer struct{ out []string }

func spaces(n int) string { return strings.Repeat(" ", max(n, 0)) }

// block writes a block. first stands before its first line, as "  - " for a map in a list; empty means its indentation.
func (p *printer) block(b *block, indent int, first string) {
	for i, it := range b.items {
		begin := spaces(indent)
		if i == 0 && first != "" {
			begin = first
		}
		lead := it.lead
		if i == 0 {
			lead = fromText(lead)
		}
		p.lines(lead, margin(begin))
		if b.list {
			begin += "- "
		}
		if b.list && it.kid != nil {
			p.block(it.kid, indent+2, begin)
			continue
		}
		to := indent
		if b.list {
			to += 2
		}
		p.text(it, begin, to)
		if it.kid != nil {
			p.block(it.kid, indent+2, "")
		}
	}
	p.lines(b.tail, indent)
}

// text writes the lines of an item; the others move as far as the first.
func (p *printer) text(it *item, begin string, to int) {
	for i, l := range it.text {
		switch {
		case i == 0 && len(it.text) == 1 || i == 0 && !it.raw:
			l = begin + strings.TrimRight(l, " ")
		case i == 0:
			l = begin + l
		case strings.Trim(l, " ") == "" && margin(l) <= it.old+2:
			l = ""
		default:
			l = spaces(margin(l)+to-it.old) + strings.TrimLeft(l, " ")
			if !it.raw {
				l = strings.TrimRight(l, " ")
			}
		}
		p.out = append(p.out, l)
	}
}

// lines writes comments, with one blank line where there were more, and none at the beginning.
func (p *printer) lines(lines []string, indent int) {
	for _, l := range lines {
		switch {
		case l != "":
			p.out = append(p.out, spaces(indent)+l)
		case len(p.out) > 0 && p.out[len(p.out)-1] != "":
			p.out = append(p.out, "")
		}
	}
}

// fromText leaves out blank lines before the first comment: nothing stands before the first item of a block.
func fromText(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return lines
}
