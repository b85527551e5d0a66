package playbooks

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// kindKeys are the keys that make a step what it is.
func kindKeys() map[string]string {
	return map[string]string{
		"uses": KindAction, "for_each": KindLoop, "steps": KindGroup, "parallel": KindParallel,
		"ask": KindAsk, "wait": KindWait, "playbook": KindPlaybook, "end": KindEnd,
	}
}

// extraKeys are the keys that a kind allows beside id, title and if.
func extraKeys(kind string) []string {
	return strings.Fields(map[string]string{
		KindAction:   "uses with timeout retry until every within on_error signoff",
		KindGroup:    "steps signoff",
		KindParallel: "parallel",
		KindLoop:     "for_each as steps at_once signoff",
		KindAsk:      "ask",
		KindWait:     "wait",
		KindPlaybook: "playbook with",
		KindEnd:      "end",
	}[kind])
}

func (s *sheet) readSteps(n *yaml.Node, section string, parent *node) []*node {
	var out []*node
	list := s.items(n, "a list of steps")
	if n.Kind == yaml.SequenceNode && len(list) == 0 {
		s.err("shape", place(n), "", "the list of steps is empty")
	}
	for _, item := range list {
		s.budget.steps++
		if s.budget.steps > maxSteps {
			if s.budget.steps == maxSteps+1 {
				s.err("budget", place(item), "split it", "more than %d steps, sub-playbooks included", maxSteps)
			}
			return out
		}
		if x := s.readStep(item, section, parent); x != nil {
			out = append(out, x)
		}
	}
	return out
}

func (s *sheet) readStep(item *yaml.Node, section string, parent *node) *node {
	if item.Kind != yaml.MappingNode {
		s.err("shape", place(item), "", "a step is a map of keys and values")
		return nil
	}
	x := &node{at: place(item), keys: map[string]pos{}, parent: parent, section: section, order: len(s.nodes), inputs: map[string]*given{}}
	kind := s.kindOf(item)
	if kind == "" {
		return nil
	}
	x.step.Kind, x.step.Line = kind, item.Line
	s.nodes = append(s.nodes, x)
	entries := s.entries(item, "a step with "+kindWord(kind), append([]string{"id", "title", "if"}, extraKeys(kind)...))
	for _, e := range entries {
		x.keys[e.name] = place(e.val)
	}
	for _, e := range entries {
		s.readKey(x, e)
	}
	if _, ok := x.keys["id"]; !ok {
		s.err("bad-id", x.at, "give it a snake_case id", "the step has no id")
	}
	s.finish(x)
	return x
}

// kindOf finds the one key that says what a step is.
func (s *sheet) kindOf(item *yaml.Node) string {
	var found []string
	kinds := kindKeys()
	for i := 0; i+1 < len(item.Content); i += 2 {
		if kinds[item.Content[i].Value] != "" {
			found = append(found, item.Content[i].Value)
		}
	}
	has := func(a string) bool { return strings.Contains(" "+strings.Join(found, " ")+" ", " "+a+" ") }
	if len(found) == 2 && has("for_each") && has("steps") {
		return KindLoop
	}
	if len(found) == 0 {
		for i := 0; i+1 < len(item.Content); i += 2 {
			s.ruleUnknownKey(item.Content[i], "a step", strings.Fields("id title if uses with timeout retry until every within on_error signoff steps parallel for_each as at_once ask wait playbook end"))
		}
		s.err("shape", place(item), "one of: uses, steps, parallel, for_each, ask, wait, playbook, end", "the step does not say what it does")
		return ""
	}
	for _, f := range found[1:] {
		if f != found[0] {
			s.err("shape", place(item), "make two steps of it", "a step is one thing, and this one has %q and %q", found[0], f)
			return ""
		}
	}
	return kinds[found[0]]
}

func kindWord(kind string) string {
	for k, v := range kindKeys() {
		if v == kind {
			return k
		}
	}
	return kind
}

func (s *sheet) readKey(x *node, e entry) {
	st := &x.step
	switch e.name {
	case "id":
		st.ID = s.word(e.val, "id")
		if s.ruleID(st.ID, place(e.val), snake, "a step id is snake_case, as tell_owner: a hyphen is a minus in an expression") {
			s.ruleDuplicateID(x)
		}
	case "title":
		st.Title = s.word(e.val, "title")
	case "if":
		st.If = s.condition(e.val, "if", x)
	case "signoff":
		st.Signoff = s.readSignoff(e.val, x)
	case "steps", "parallel":
		x.kids = s.readSteps(e.val, x.section, x)
	case "for_each":
		s.loop(x).Over = s.value(e.val, "for_each", x)
	case "as":
		s.loop(x).As = s.word(e.val, "as")
		s.ruleLoopName(x, place(e.val))
	case "at_once":
		s.loop(x).AtOnce = s.number(e.val, "at_once", 1, 50)
	case "ask":
		st.Ask = s.readAsk(e.val, x)
	case "wait":
		st.Wait = s.duration(e.val, "wait")
	case "end":
		st.End = s.oneOf(e.val, "end", []string{"contained", "false_alarm", "stopped", "failed"})
	case "playbook":
		s.readSub(x, e.val)
	case "with":
		for _, b := range s.entries(e.val, "with", nil) {
			v := s.value(b.val, "with."+b.name, x)
			x.inputs[b.name] = &given{b.at, v}
			st.With = append(st.With, Binding{b.name, v})
		}
	default:
		s.readActionKey(s.action(x), e, x)
	}
}

func (s *sheet) loop(x *node) *Loop {
	if x.step.Loop == nil {
		x.step.Loop = &Loop{AtOnce: 1}
	}
	return x.step.Loop
}

func (s *sheet) action(x *node) *Action {
	if x.step.Action == nil {
		x.step.Action = &Action{OnError: OnErrorAsk}
	}
	return x.step.Action
}

func (s *sheet) readActionKey(a *Action, e entry, x *node) {
	switch e.name {
	case "uses":
		a.Uses = s.word(e.val, "uses")
	case "timeout":
		a.Timeout = s.duration(e.val, "timeout")
	case "until":
		a.Until = s.condition(e.val, "until", x)
	case "every":
		a.Every = s.duration(e.val, "every")
	case "within":
		a.Within = s.duration(e.val, "within")
	case "on_error":
		a.OnError = s.oneOf(e.val, "on_error", []string{OnErrorAsk, OnErrorContinue, OnErrorStop})
	case "retry":
		for _, r := range s.entries(e.val, "retry", []string{"attempts", "first", "factor", "max"}) {
			switch r.name {
			case "attempts":
				a.Retry.Attempts = s.number(r.val, "attempts", 1, 100)
			case "first":
				a.Retry.First = s.duration(r.val, "first")
			case "max":
				a.Retry.Max = s.duration(r.val, "max")
			case "factor":
				a.Retry.Factor = float64(s.number(r.val, "factor", 1, 10))
			}
		}
	}
}

// finish fills in what the card and the language say.
func (s *sheet) finish(x *node) {
	switch x.step.Kind {
	case KindAction:
		a := s.action(x)
		a.With, x.step.With = x.step.With, nil
		s.fromCard(x, a)
	case KindLoop:
		for _, k := range []string{"as", "steps"} {
			if _, ok := x.keys[k]; !ok {
				s.err("missing-key", x.at, "", "a loop needs the key %q", k)
			}
		}
	}
}

// fromCard copies what the card says, so that a later card cannot change an open run.
func (s *sheet) fromCard(x *node, a *Action) {
	card, ok := s.w.Actions[a.Uses]
	x.card, x.known = card, ok
	if !ok {
		return
	}
	a.Effect, a.CardHash, a.Local = card.Effect, CardHash(card), card.Local
	if a.Timeout == 0 {
		a.Timeout = Dur(30 * time.Second)
		if d, err := ParseDuration(card.Timeout); err == nil && d > 0 {
			a.Timeout = Dur(d)
		}
	}
	if a.Retry.Attempts == 0 {
		a.Retry.Attempts = max(card.Attempts, 1)
	}
	if card.Effect == signoff.EffectFinal {
		a.Retry.Attempts = 1 // a second attempt could be a second effect
	}
	if a.Retry.First == 0 {
		a.Retry.First = Dur(time.Second)
	}
	if a.Retry.Factor == 0 {
		a.Retry.Factor = 2
	}
	if a.Retry.Max == 0 {
		a.Retry.Max = Dur(30 * time.Second)
	}
	for _, f := range card.Outputs {
		if f.Type == TypeTime {
			a.Times = append(a.Times, f.Name)
		}
	}
}
