package rehearse

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

// value is what a node holds, in the shape of JSON.
func (r *reader) value(n *yaml.Node, depth int) any {
	n = r.real(n)
	if n == nil {
		return nil
	}
	if depth > maxDepth {
		r.err(at(n), "budget", "", "the file nests more than %d levels", maxDepth)
		return nil
	}
	switch n.Kind {
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			out = append(out, r.value(item, depth+1))
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		for _, f := range r.fields(n, "a value", nil) {
			out[f.name] = r.value(f.val, depth+1)
		}
		return out
	}
	return scalar(n)
}

func scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return float64(i) // as it comes back from its journey
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

func contains(all []string, one string) bool { return slices.Contains(all, one) }

// guess is a hint with the word that was probably meant and the words that are allowed.
func guess(word string, known []string) string {
	var hint []string
	if g := diag.Guess(word, known); g != "" {
		hint = append(hint, "did you mean "+strconv.Quote(g)+"?")
	}
	if len(known) > 0 && len(known) <= 24 {
		hint = append(hint, "allowed: "+strings.Join(known, ", "))
	}
	return strings.Join(hint, " ")
}

// cut keeps a message short, whatever a file holds.
func cut(s string) string {
	runes := []rune(s)
	if len(runes) <= 80 {
		return s
	}
	return string(runes[:79]) + "…"
}
