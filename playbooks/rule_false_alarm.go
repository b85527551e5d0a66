package playbooks

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// ruleFalseAlarm: giving a key back is decided by a person. The end must depend on an answer that silence cannot
// give, and nothing final may have happened before it.
func ruleFalseAlarm(s *sheet) {
	var final *node
	for _, n := range s.nodes {
		if n.section != SectionSteps {
			continue
		}
		if final == nil && finalIn(n) {
			final = n
		}
		if n.step.Kind != KindEnd || n.step.End != "false_alarm" {
			continue
		}
		if !s.answered(n) {
			s.err("false-alarm", n.key("end"), "if: steps.<question>.outputs.choice == \"<a choice that is not its otherwise>\"", "a false alarm is decided by a person: this end does not depend on a question whose otherwise cannot reach it")
		}
		if final != nil {
			s.err("false-alarm", n.key("end"), "decide before the first final action", "a false alarm cannot be taken back after step %q, which is final", final.step.ID)
		}
	}
}

func finalIn(n *node) bool {
	if n.known && n.card.Effect == signoff.EffectFinal {
		return true
	}
	if n.step.Sub != nil {
		for p := range Steps(n.step.Sub) {
			if p.Step.Action != nil && p.Step.Action.Effect == signoff.EffectFinal {
				return true
			}
		}
	}
	return false
}

// answered looks for a question's choice, other than its otherwise, among the conditions over n.
func (s *sheet) answered(n *node) bool {
	for _, x := range n.up() {
		cond := s.conditionOf(x)
		if cond == nil {
			continue
		}
		for _, c := range conjuncts(cond.info.root) {
			if b, ok := c.(*ast.BinaryNode); ok && s.choiceOnly(b) {
				return true
			}
		}
	}
	return false
}

// choiceOnly: steps.q.outputs.choice == "x", or … in ["x", "y"], where none is q's otherwise.
func (s *sheet) choiceOnly(b *ast.BinaryNode) bool {
	p, other := path(b.Left), b.Right
	if lit, ok := b.Left.(*ast.StringNode); ok && b.Operator == "==" {
		p, other = path(b.Right), lit
	}
	if len(p) != 4 || p[0].name != "steps" || p[3].name != "choice" {
		return false
	}
	q := s.byID[p[1].name]
	if q == nil || q.step.Ask == nil {
		return false
	}
	var picked []string
	switch o := other.(type) {
	case *ast.StringNode:
		if b.Operator != "==" {
			return false
		}
		picked = []string{o.Value}
	case *ast.ArrayNode:
		for _, item := range o.Nodes {
			lit, ok := item.(*ast.StringNode)
			if !ok || b.Operator != "in" {
				return false
			}
			picked = append(picked, lit.Value)
		}
	}
	for _, c := range picked {
		if c == q.step.Ask.Otherwise || !slices.Contains(q.step.Ask.Choices, c) {
			return false
		}
	}
	return len(picked) > 0
}
