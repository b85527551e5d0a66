package playbooks

import (
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// ruleSameTarget: people sign the state that a target had when they were asked. The first of two calls on one target
// changes that state, so the second would be void, unless its card says that it expects the first.
func ruleSameTarget(s *sheet) {
	for i, n := range s.nodes {
		group := n.signed()
		if group == nil || !changes(n) {
			continue
		}
		for _, first := range s.nodes[:i] {
			if first.signed() != group || !changes(first) || targetOf(first) != targetOf(n) || slices.Contains(n.card.After, first.card.Name) {
				continue
			}
			s.err("same-target", n.key("uses"), "give each a sign-off of its own", "%s changes what step %q has changed already under the same sign-off: its target would no longer be as people saw it", n.card.Name, first.step.ID)
			break
		}
	}
}

func changes(n *node) bool {
	e := n.card.Effect
	return n.known && n.inputs[n.card.TargetInput] != nil && (e == signoff.EffectUndoable || e == signoff.EffectFinal)
}

// targetOf is what a call changes, as it is written: the item of a loop is named by the loop's list.
func targetOf(n *node) string {
	v := n.inputs[n.card.TargetInput].value
	code := strings.Join(strings.Fields(v.Expr), " ")
	for _, up := range n.up() {
		if l := up.step.Loop; l != nil && (code == l.As || strings.HasPrefix(code, l.As+".")) {
			code = "item of " + strings.Join(strings.Fields(valueText(l.Over)), " ") + code[len(l.As):]
		}
	}
	return n.card.TargetInput + " " + code + valueKey(v)
}

// valueKey tells values that are no single expression apart.
func valueKey(v Value) string {
	var b strings.Builder
	for _, part := range v.Text {
		b.WriteString(part.Lit + "\x00" + part.Expr + "\x00")
	}
	if s, ok := v.Lit.(string); ok {
		b.WriteString(s)
	}
	return b.String()
}
