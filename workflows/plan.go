package workflows

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// planner resolves every call of a signed step before anybody is asked. What an earlier call of the same request will
// make is bound as a reference; lists of loops are frozen.
type planner struct {
	run    *run
	now    time.Time
	calls  []wire.Planned
	made   map[string]string // step id -> path, for steps inside the request
	frozen map[string][]any
}

func (p *planner) step(s *scope, st *playbooks.Step) error {
	if s.status(st.ID) == statusDone {
		return nil
	}
	path := s.at(st.ID)
	p.made[st.ID] = path
	if st.If != "" && !p.mentions(st.If) {
		ok, err := playbooks.Eval(st.If, s.env(p.run), p.now)
		if err != nil {
			return fmt.Errorf("the condition of %q: %w", st.ID, err)
		}
		if ok != true {
			return nil
		}
	}
	switch st.Kind {
	case playbooks.KindAction:
		return p.action(s, st)
	case playbooks.KindGroup, playbooks.KindParallel:
		return p.all(s.in(path), st.Steps)
	case playbooks.KindLoop:
		return p.loop(s, st)
	default:
		return fmt.Errorf("step %q is of kind %q, which a signed group may not hold", st.ID, st.Kind)
	}
}

func (p *planner) all(s *scope, steps []playbooks.Step) error {
	for i := range steps {
		if err := p.step(s, &steps[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) loop(s *scope, st *playbooks.Step) error {
	path := s.at(st.ID)
	items, ok := p.run.lists[path] // asked anew: the items keep their places, and with them what is done
	if !ok {
		var err error
		if items, err = p.run.items(s, st, p.now); err != nil {
			return err
		}
		p.run.lists[path] = items
	}
	p.frozen[path] = items
	for i, item := range items {
		inner := s.item(fmt.Sprintf("%s[%d]", path, i), st.Loop.As, item)
		if before, ok := p.run.kept[inner.path]; ok {
			inner.steps = before.steps
		}
		if err := p.all(inner, st.Steps); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) action(s *scope, st *playbooks.Step) error {
	if st.Action.Effect != signoff.EffectUndoable && st.Action.Effect != signoff.EffectFinal {
		return nil
	}
	with := map[string]any{}
	for _, b := range st.Action.With {
		v, err := p.value(s, b.Value)
		if err != nil {
			return fmt.Errorf("%s: with.%s: %w", st.ID, b.Name, err)
		}
		with[b.Name] = v
	}
	p.calls = append(p.calls, wire.Planned{Step: s.at(st.ID), Action: st.Action.Uses, CardHash: st.Action.CardHash, With: with})
	return nil
}

// value resolves one input, or binds it to the step of this request that will make it.
func (p *planner) value(s *scope, v playbooks.Value) (any, error) {
	refs := v.Refs()
	if !p.laterIn(s, refs) {
		got, err := v.Eval(s.env(p.run), p.now)
		if err != nil {
			return nil, err
		}
		return plain(got)
	}
	if len(refs) != 1 || v.Kind != "expr" || v.Expr != "steps."+refs[0].Step+".outputs."+refs[0].Output {
		return nil, fmt.Errorf("it is made inside this sign-off, so it can only be handed on whole, as ${{ steps.x.outputs.y }}")
	}
	return map[string]any{signoff.LaterKey: map[string]any{"step": p.made[refs[0].Step], "output": refs[0].Output}}, nil
}

// laterIn reports whether any reference is to a step of this request that has not settled.
func (p *planner) laterIn(s *scope, refs []playbooks.Ref) bool {
	for _, ref := range refs {
		if _, inside := p.made[ref.Step]; inside && s.status(ref.Step) != statusDone {
			return true
		}
	}
	return false
}

// mentions reports whether a condition looks at a step of this request, its outputs or its status. Whether it holds is
// then known only when the calls run, and people are shown the call.
func (p *planner) mentions(code string) bool {
	for id := range p.made {
		if strings.Contains(code, "steps."+id+".") || strings.Contains(code, "steps."+id+"?") || strings.Contains(code, strconv.Quote(id)) {
			return true
		}
	}
	return false
}
