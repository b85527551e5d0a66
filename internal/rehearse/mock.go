package rehearse

import (
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// stepPrefix marks an entry that names a step instead of an action.
const stepPrefix = "step:"

// mock is what an action gives back, one turn after the other; the last one repeats.
type mock struct {
	named
	turns []turn
}

// turn is one answer of an action.
type turn struct {
	at     place
	fields []field
	values map[string]any
	fails  string // an error that no retry mends
	breaks string // an error that a retry may mend
	reach  string // how far an undoable call is felt
	idle   string // there is nothing to do, and why: nothing is in force afterwards
}

func (r *reader) mocks(n *yaml.Node) []*mock {
	var out []*mock
	for _, e := range r.fields(n, "mocks", nil) {
		m := &mock{named: named{e.at, e.name}}
		list := []*yaml.Node{e.val}
		if v := r.real(e.val); v != nil && v.Kind == yaml.SequenceNode {
			list = v.Content
			if len(list) == 0 {
				r.err(e.at, "shape", "", "a list of answers needs one at least")
			}
		}
		for _, one := range list {
			m.turns = append(m.turns, r.turn(one, e.name))
		}
		out = append(out, m)
	}
	return out
}

func (r *reader) turn(n *yaml.Node, name string) turn {
	t := turn{at: at(n), values: map[string]any{}}
	for _, f := range r.fields(n, "the mock of "+cut(name), nil) {
		switch f.name {
		case "fails":
			t.fails = r.text(f.val, "fails")
		case "breaks":
			t.breaks = r.text(f.val, "breaks")
		case "nothing":
			t.idle = r.text(f.val, "nothing")
		case "reach":
			t.reach = r.oneOf(f.val, "reach", "key", "project", "account")
			t.values[f.name], t.fields = t.reach, append(t.fields, f)
		default:
			t.values[f.name], t.fields = r.value(f.val, 0), append(t.fields, f)
		}
	}
	return t
}

// check compares a mock with the card: a field that does not exist, or that holds another type, is an error.
func (r *reader) check(m *mock, card playbooks.Card) {
	var known []string
	kinds := map[string]string{}
	for _, f := range card.Outputs {
		known = append(known, f.Name)
		kinds[f.Name] = f.Type
	}
	for i := range m.turns {
		t := &m.turns[i]
		for _, f := range t.fields {
			kind, ok := kinds[f.name]
			switch {
			case f.name == "reach" && !ok && card.Effect == signoff.EffectUndoable:
				delete(t.values, f.name) // it is no output of this card, and steers policy alone
			case !ok:
				r.err(f.at, "mock", guess(f.name, append(known, "fails", "breaks", "nothing")), "%s gives no %q", card.Name, cut(f.name))
			case kind == playbooks.TypeKey:
				r.key(f.val, &incident.Clue{})
			case kind == playbooks.TypeDepend:
				r.dependent(f.val)
			case !isOf(kind, t.values[f.name]):
				r.err(at(f.val), "mock", "", "%q of %s is of the type %s", f.name, card.Name, kind)
			}
		}
		if t.idle != "" {
			if card.Effect != signoff.EffectUndoable {
				r.err(t.at, "mock", "", "%s is no undoable action, so it never finds that there is nothing to do", card.Name)
			}
			t.values = map[string]any{"summary": t.idle}
			continue
		}
		for _, f := range card.Outputs { // what is always there comes from the example
			if _, given := t.values[f.Name]; f.Required && !given {
				t.values[f.Name] = card.Example[f.Name]
			}
		}
	}
}

// isOf reports whether a value of a test file may stand for an output of this type.
func isOf(kind string, v any) bool {
	switch kind {
	case playbooks.TypeString:
		_, ok := v.(string)
		return ok
	case playbooks.TypeInt:
		f, ok := v.(float64)
		return ok && f == float64(int64(f))
	case playbooks.TypeFloat:
		_, ok := v.(float64)
		return ok
	case playbooks.TypeBool:
		_, ok := v.(bool)
		return ok
	case playbooks.TypeTime:
		text, ok := v.(string)
		if ok {
			_, err := time.Parse(time.RFC3339Nano, text)
			ok = err == nil
		}
		return ok
	case playbooks.TypeDuration:
		text, ok := v.(string)
		if ok {
			_, err := playbooks.ParseDuration(text)
			ok = err == nil
		}
		return ok
	case playbooks.TypeStrings:
		list, ok := v.([]any)
		for _, item := range list {
			_, text := item.(string)
			ok = ok && text
		}
		return ok
	}
	return true
}

// cast are the mocks of one run, with how often each was asked.
type cast struct {
	mu    sync.Mutex
	mocks []*mock
	used  map[*mock]int
}

// play is the next answer for a call; false where no mock speaks for it.
func (c *cast) play(action, path string) (turn, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best *mock
	rank := 0
	for _, m := range c.mocks {
		r := 0
		switch {
		case m.what == stepPrefix+path:
			r = 4
		case m.what == stepPrefix+plainPath(path):
			r = 3
		case m.what == stepPrefix+idOf(path):
			r = 2
		case m.what == action:
			r = 1
		}
		if r > rank {
			best, rank = m, r
		}
	}
	if best == nil {
		return turn{}, false
	}
	n := min(c.used[best], len(best.turns)-1)
	c.used[best]++
	return best.turns[n], true
}
