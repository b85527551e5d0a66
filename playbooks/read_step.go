package playbooks

import "go.yaml.in/yaml/v3"

func (s *sheet) readSteps(n *yaml.Node, section string, parent *node) []*node {
	var out []*node
	list := s.items(n, "a list of steps")
	if n.Kind == yaml.SequenceNode && len(list) == 0 {
		s.err("shape", place(n), "", "the list of steps is empty")
	}
	for _, item := range list {
		if !s.ruleSteps(item) {
			return out
		}
		if x := s.readStep(item, section, parent); x != nil {
			out = append(out, x)
		}
	}
	return out
}

// readStep reads one step: what it is first, then its keys, in the order of the file.
func (s *sheet) readStep(item *yaml.Node, section string, parent *node) *node {
	if item.Kind != yaml.MappingNode {
		s.err("shape", place(item), "", "a step is a map of keys and values")
		return nil
	}
	kind := s.ruleKind(item)
	if kind == "" {
		return nil
	}
	x := &node{at: place(item), keys: map[string]pos{}, parent: parent, section: section, order: len(s.nodes), inputs: map[string]*given{}}
	x.step.Kind, x.step.Line = kind, item.Line
	s.nodes = append(s.nodes, x)
	entries := s.keysOf(item, StepClause(kind))
	for _, e := range entries {
		x.keys[e.name] = place(e.val)
	}
	for _, e := range entries {
		s.readKey(x, e)
	}
	if kind == KindAction {
		s.fromCard(x)
	}
	return x
}

// readKey reads what several kinds share, and leaves the rest to the kind.
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
	case "with":
		s.readWith(x, e)
	default:
		s.readOwn(x, e)
	}
}

func (s *sheet) readOwn(x *node, e entry) {
	switch x.step.Kind {
	case KindAction:
		s.readAction(x, e)
	case KindLoop:
		s.readLoop(x, e)
	case KindAsk:
		x.step.Ask = s.readAsk(e.val, x)
	case KindWait:
		x.step.Wait = s.duration(e.val, "wait")
	case KindPlaybook:
		s.readSub(x, e.val)
	case KindEnd:
		s.readEnd(x, e.val)
	}
}

// readWith reads the inputs of an action or of another playbook.
func (s *sheet) readWith(x *node, e entry) {
	for _, b := range s.entries(e.val, "with", nil) {
		v := s.value(b.val, "with."+b.name, x)
		x.inputs[b.name] = &given{b.at, v}
		x.step.With = append(x.step.With, Binding{b.name, v})
	}
}
