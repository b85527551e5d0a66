package format

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// language is the clauses by name.
type language map[string]playbooks.Clause

func clauses() language {
	out := language{}
	for _, c := range playbooks.Clauses() {
		out[c.Name] = c
	}
	return out
}

// arrange puts the keys of a block, and of all blocks inside, into the order of the language. Keys that the language
// does not have keep their order behind those that it has.
func (l language) arrange(b *block, clause string) {
	c, ok := l[clause]
	if b == nil || b.list || !ok {
		return
	}
	names := c.Names()
	rank := func(it *item) int {
		if i := slices.Index(names, it.key); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(b.items, func(x, y *item) int { return rank(x) - rank(y) })
	for _, it := range b.items {
		if k, ok := c.Key(it.key); ok && it.kid != nil {
			l.inside(it.kid, k)
		}
	}
}

func (l language) inside(b *block, k playbooks.Key) {
	switch k.Is {
	case playbooks.IsClause:
		l.arrange(b, k.Of)
	case playbooks.IsClauses, playbooks.IsNamed:
		for _, it := range b.items {
			l.arrange(it.kid, k.Of)
		}
	case playbooks.IsSteps:
		for _, it := range b.items {
			if it.kid != nil {
				l.arrange(it.kid, playbooks.StepClause(kindOf(it.node)))
			}
		}
	}
}

// kindOf is what a step is, by its keys; a loop has the key of a group, too.
func kindOf(step *yaml.Node) string {
	kind := ""
	for i := 0; i+1 < len(step.Content); i += 2 {
		switch step.Content[i].Value {
		case "uses":
			return playbooks.KindAction
		case "for_each":
			return playbooks.KindLoop
		case "steps":
			kind = playbooks.KindGroup
		case "parallel", "ask", "wait", "playbook", "end":
			return step.Content[i].Value
		}
	}
	return kind
}
