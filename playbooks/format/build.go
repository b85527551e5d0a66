package format

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// block is a block map or list with the lines that belong to it.
type block struct {
	list  bool
	old   int // its indentation in the source
	items []*item
	tail  []string // comments behind its last item
}

// item is one key with its value, or one item of a list.
type item struct {
	key  string
	lead []string // comments and blank lines before it
	text []string // its own lines; the first one begins with the key or value, the others with their old indentation
	old  int      // indentation of the key or value in the source
	raw  bool     // spaces at the ends of its lines may mean something
	kid  *block
	node *yaml.Node // of the value
}

// builder takes the lines of the source apart along the nodes. Lines that are only comments or blank belong to what
// follows them, or, when they are indented more than that, to the end of the block in which they stand.
type builder struct {
	lines []string
	begin []int    // lines, counted from 1, in which a key or an item begins
	lead  []string // comments and blank lines that wait for the next item
	path  []*block
	head  []string
}

// starts collects in which lines keys and items begin.
func (b *builder) starts(n *yaml.Node) {
	if !isBlock(n) {
		return
	}
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			b.begin = append(b.begin, b.dash(n, c))
			b.starts(c)
		case i%2 == 0:
			b.begin = append(b.begin, c.Line)
		default:
			b.starts(c)
		}
	}
}

// isBlock reports whether a node is a map or list that is written in lines of its own.
func isBlock(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0 && len(n.Content) > 0
}

// column is where the dashes of a list stand, 0 where that is not clear. A list with an anchor has the place of the anchor.
func (b *builder) column(list *yaml.Node) int {
	if list.Anchor == "" {
		return list.Column
	}
	for l := list.Line + 1; l <= min(list.Content[0].Line, len(b.lines)); l++ {
		if strings.HasPrefix(strings.TrimSpace(b.lines[l-1]), "-") {
			return margin(b.lines[l-1]) + 1
		}
	}
	return 0
}

// dash is the line of the dash of an item.
func (b *builder) dash(list, item *yaml.Node) int {
	column := b.column(list)
	for l := min(item.Line, len(b.lines)); l >= list.Line && column > 0; l-- {
		if r := []rune(b.lines[l-1]); len(r) >= column && r[column-1] == '-' && (l < item.Line || column < item.Column) {
			return l
		}
	}
	return item.Line
}

// next is the first line behind l in which something begins.
func (b *builder) next(l int) int {
	i, _ := slices.BinarySearch(b.begin, l+1)
	if i == len(b.begin) {
		return len(b.lines) + 1
	}
	return b.begin[i]
}

func (b *builder) mapping(n *yaml.Node) (*block, error) {
	column := n.Content[0].Column // of the node it would be that of an anchor
	out := &block{old: column - 1}
	b.path = append(b.path, out)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Column != column {
			return nil, fmt.Errorf("line %d: a key that is no plain word is not formatted", k.Line)
		}
		it := &item{key: k.Value, lead: b.take(), old: k.Column - 1, node: v}
		out.items = append(out.items, it)
		if err := b.item(it, k.Line, k.Column, v); err != nil {
			return nil, err
		}
		it.text[0] = oneSpace(it.text[0], k)
	}
	return out, nil
}

func (b *builder) sequence(n *yaml.Node) (*block, error) {
	column := b.column(n)
	if column == 0 || n.Style&yaml.TaggedStyle != 0 {
		return nil, fmt.Errorf("line %d: a list with a tag is not formatted", n.Line)
	}
	out := &block{list: true, old: column - 1}
	b.path = append(b.path, out)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	for _, v := range n.Content {
		it := &item{lead: b.take(), old: v.Column - 1, node: v}
		out.items = append(out.items, it)
		dash := b.dash(n, v)
		if v.Kind == yaml.ScalarNode && v.Value == "" && v.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			return nil, fmt.Errorf("line %d: an item of nothing is not formatted", dash)
		}
		if v.Line == dash && (!isBlock(v) || v.Column > column) {
			if isBlock(v) {
				if err := b.kid(it, v); err != nil {
					return nil, err
				}
				continue
			}
			if err := b.item(it, v.Line, v.Column, v); err != nil {
				return nil, err
			}
			continue
		}
		rest := strings.TrimSpace(behind(b.lines[dash-1], column))
		if !isBlock(v) || v.Line <= dash || rest != "" && rest[0] != '#' {
			return nil, fmt.Errorf("line %d: an item that does not begin behind its dash is not formatted", dash)
		}
		if rest != "" {
			it.lead = append(it.lead, rest)
		}
		it.lead = append(it.lead, trimmed(b.lines[dash:v.Line-1])...)
		if err := b.kid(it, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// kid is a map or list inside an item.
func (b *builder) kid(it *item, v *yaml.Node) (err error) {
	if v.Kind == yaml.SequenceNode {
		it.kid, err = b.sequence(v)
	} else {
		it.kid, err = b.mapping(v)
	}
	return err
}

// item takes the lines of a key or value, from a line and column on.
func (b *builder) item(it *item, line, column int, v *yaml.Node) error {
	nested := isBlock(v) && (v.Line > line || v.Content[0].Line > line)
	end := b.next(line)
	own := slices.Clone(b.lines[line-1 : end-1])
	own[0] = behind(own[0], column-1)
	var n int
	if nested {
		n = without(own)
	} else {
		n, it.raw = b.extent(own, line, v, b.path[len(b.path)-1].old)
	}
	if indent := b.body(it, own[:n], line, v); indent > 2 {
		it.old = indent - 2 // the text of a block stands two spaces in, whatever it was
	}
	it.text = own[:max(n, 1)]
	after := own[max(n, 1):]
	if nested {
		b.lead = append(b.lead, trimmed(after)...)
		return b.kid(it, v)
	}
	b.after(after, end)
	return nil
}

// extent is how many of the lines belong to a value, and whether the spaces at their ends may mean something.
func (b *builder) extent(own []string, line int, v *yaml.Node, parent int) (int, bool) {
	at := v.Line - line // the line of own in which the value begins
	switch {
	case at < 0 || at >= len(own):
		return without(own), false
	case v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return scalarEnd(own, at, parent, signs(b.lines[v.Line-1], v)), true
	case v.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		n := quotedEnd(b.lines, v) - line + 1
		return min(max(n, 1), len(own)), n > 1
	}
	return without(own), false
}

// body is the indentation of the text of a block that does not say it itself; 0 where there is none.
func (b *builder) body(it *item, own []string, line int, v *yaml.Node) int {
	if !it.raw || v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || strings.ContainsAny(signs(b.lines[v.Line-1], v), "123456789") || v.Line != line {
		return 0
	}
	for _, l := range own[1:] {
		if strings.Trim(l, " ") != "" {
			return margin(l)
		}
	}
	return 0
}

// take gives the waiting comments to an item.
func (b *builder) take() []string {
	out := b.lead
	b.lead = nil
	return out
}

// after shares out the comments behind a value: to the end of the blocks in which they are indented, or to what follows.
func (b *builder) after(lines []string, next int) {
	indent := -1
	if next <= len(b.lines) {
		indent = margin(b.lines[next-1])
	}
	var blanks []string
	for i, l := range lines {
		if strings.TrimSpace(l) == "" {
			blanks = []string{""}
			continue
		}
		if margin(l) <= indent {
			b.lead = append(blanks, trimmed(lines[i:])...)
			return
		}
		home := b.path[0]
		for _, x := range b.path {
			if x.old <= margin(l) {
				home = x
			}
		}
		home.tail = append(append(home.tail, blanks...), strings.TrimSpace(l))
		blanks = nil
	}
	b.lead = blanks
}

// header parts the comments that are about the file from those about its first key.
func (b *builder) header(top *block) {
	first := top.items[0]
	cut := len(first.lead)
	if first.key == "schema" || first.key == "playbook" {
		for cut = len(first.lead); cut > 0 && first.lead[cut-1] != ""; cut-- {
			continue
		}
	}
	b.head, first.lead = first.lead[:cut], first.lead[cut:]
}
