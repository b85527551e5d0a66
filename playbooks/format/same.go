package format

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// same refuses a result that says something else: another value anywhere, or a line, comments included, that was lost or
// came from nowhere.
func same(text string, before *yaml.Node, out []byte) error {
	after, err := parse(out)
	if err != nil {
		return fmt.Errorf("the file cannot be formatted without breaking it: %w", err)
	}
	if n := differs(before, after); n != nil {
		return fmt.Errorf("line %d: this cannot be formatted without changing what it says", n.Line)
	}
	if !maps.Equal(said(text), said(string(out))) {
		return fmt.Errorf("the file cannot be formatted without losing a line of it")
	}
	return nil
}

// differs is the first node that says something else; the order of keys says nothing.
func differs(a, b *yaml.Node) *yaml.Node {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) {
		return a
	}
	x, y := a.Content, b.Content
	if a.Kind == yaml.MappingNode {
		x, y = sorted(x), sorted(y)
	}
	for i := range x {
		if n := differs(x[i], y[i]); n != nil {
			return n
		}
	}
	return nil
}

func sorted(content []*yaml.Node) []*yaml.Node {
	pairs := slices.Collect(slices.Chunk(content, 2))
	slices.SortStableFunc(pairs, func(a, b []*yaml.Node) int { return strings.Compare(a[0].Value, b[0].Value) })
	return slices.Concat(pairs...)
}

// said counts the lines by their words.
func said(text string) map[string]int {
	out := map[string]int{}
	for _, l := range strings.Split(text, "\n") {
		l = strings.Join(strings.Fields(l), " ")
		for strings.HasPrefix(l, "- ") {
			l = l[2:]
		}
		if l != "" && l != "-" {
			out[l]++
		}
	}
	return out
}
