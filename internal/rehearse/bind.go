package rehearse

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Steps that no playbook writes down: the key is identified before the first one, and a false alarm asks for undos.
const (
	stepIdentify = "identify"
	stepUndo     = "undo"
)

// steps finds the steps of a playbook by id and by path.
type steps struct {
	byPath map[string]playbooks.Place
	byID   map[string][]playbooks.Place
}

func stepsOf(p *playbooks.Program) steps {
	s := steps{byPath: map[string]playbooks.Place{}, byID: map[string][]playbooks.Place{}}
	for at := range playbooks.Steps(p) {
		s.byPath[at.Path] = at
		s.byID[at.Step.ID] = append(s.byID[at.Step.ID], at)
	}
	return s
}

func (s steps) find(name string) []playbooks.Place {
	if at, ok := s.byPath[plainPath(name)]; ok {
		return []playbooks.Place{at}
	}
	return s.byID[name]
}

func (s steps) names() []string { return slices.Sorted(maps.Keys(s.byID)) }

var loopIndex = regexp.MustCompile(`\[\d+\]`)

// plainPath is a path without the indexes of loop items.
func plainPath(path string) string { return loopIndex.ReplaceAllString(path, "") }

// idOf is the id of the step at a path.
func idOf(path string) string {
	plain := plainPath(path)
	return plain[strings.LastIndexByte(plain, '/')+1:]
}

// Bind checks the tests against the playbook and the cards of the actions. Only tests without faults may run.
func (f *File) Bind(p *playbooks.Program, cards playbooks.Catalog) []diag.Fault {
	f.program, f.cards = p, cards
	b := &binder{reader: &reader{file: f.Name, left: maxNodes}, cards: cards, steps: stepsOf(p), seen: map[*mock]bool{}}
	for _, c := range f.Tests {
		if p.NeedsKey && !c.alert.HasKey && c.expect.starts {
			b.err(c.at, "no-key", "as key: { provider: gemini, account: demo, id: k1, owner: kim }", "the playbook needs a key, and the alert of this test leads to none")
		}
		if p.Trigger == "" && !c.expect.starts {
			b.err(c.expect.startsAt, "trigger", "", "the playbook has no trigger: it is started by hand or by another one")
		}
		for _, m := range c.mocks {
			b.mock(m)
		}
		for _, m := range c.moves {
			b.move(m)
		}
		b.expect(c.expect)
	}
	return diag.Sort(b.faults)
}

type binder struct {
	*reader
	cards playbooks.Catalog
	steps steps
	seen  map[*mock]bool
}

func (b *binder) mock(m *mock) {
	if b.seen[m] {
		return
	}
	b.seen[m] = true
	name := m.what
	if step, ok := strings.CutPrefix(m.what, stepPrefix); ok {
		found := b.steps.find(step)
		if len(found) == 0 {
			b.err(m.at, "unknown-step", guess(step, b.steps.names()), "the playbook has no step %q", cut(step))
			return
		}
		if found[0].Step.Action == nil {
			b.err(m.at, "mock", "", "step %q calls no action, so it cannot be mocked", step)
			return
		}
		name = found[0].Step.Action.Uses
	}
	card, ok := b.cards[name]
	if !ok {
		b.err(m.at, "unknown-action", guess(name, slices.Sorted(maps.Keys(b.cards))), "no action is named %q", cut(name))
		return
	}
	b.check(m, card)
}

func (b *binder) step(n named) []playbooks.Place {
	first, _, _ := strings.Cut(n.what, "/")
	if first == stepUndo || n.what == stepIdentify {
		return nil
	}
	found := b.steps.find(n.what)
	if len(found) == 0 {
		b.err(n.at, "unknown-step", guess(n.what, append(b.steps.names(), stepUndo, stepIdentify)), "the playbook has no step %q", cut(n.what))
	}
	return found
}

func (b *binder) move(m *move) {
	for _, p := range b.step(named{m.stepAt, m.step}) {
		st := p.Step
		undoable := st.Action != nil && st.Action.Effect == signoff.EffectUndoable
		if m.decides && st.Signoff == nil && !undoable {
			b.err(m.stepAt, "no-signoff", "", "step %q asks for no sign-off", m.step)
		}
		if !m.decides && st.Ask != nil && len(st.Ask.Choices) > 0 && m.refused == "" && !contains(st.Ask.Choices, m.answer) {
			b.err(m.at, "choice", guess(m.answer, st.Ask.Choices), "%q is no choice of %q", cut(m.answer), m.step)
		}
	}
}

// call checks a name in a list of calls: an action, or step:<id> of a step that calls one.
func (b *binder) call(n named) {
	if step, ok := strings.CutPrefix(n.what, stepPrefix); ok {
		b.step(named{n.at, step})
		return
	}
	if _, ok := b.cards[n.what]; !ok {
		b.err(n.at, "unknown-action", guess(n.what, slices.Sorted(maps.Keys(b.cards))), "no action is named %q; a step is named %s<id>", cut(n.what), stepPrefix)
	}
}

func (b *binder) expect(x expect) {
	for _, list := range [][]named{x.called, x.never, x.order} {
		for _, n := range list {
			b.call(n)
		}
	}
	for _, list := range [][]named{x.asked, x.neverAsked, x.inForce} {
		for _, n := range list {
			b.step(n)
		}
	}
	for _, s := range x.statuses {
		b.step(s.named)
	}
	for _, w := range x.times {
		if w.what != timeRun {
			b.call(w.named)
		}
	}
}
