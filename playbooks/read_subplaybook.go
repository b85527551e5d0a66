package playbooks

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

// readSub inlines another playbook, so that it is pinned when the parent starts.
func (s *sheet) readSub(x *node, n *yaml.Node) {
	id := s.word(n, "playbook")
	src, ok := s.ruleSubPlaybook(id, place(n))
	if !ok {
		return
	}
	prog, why := s.inline(id, src)
	if prog == nil {
		s.err("sub-playbook", place(n), "lint that playbook first", "playbook %q cannot be inlined: %s", id, why)
		return
	}
	if prog.NeedsKey && !s.p.NeedsKey {
		s.err("sub-playbook", place(n), "leave needs_key: false out here, or add it there", "playbook %q needs a key, and this one has none to give", id)
	}
	x.step.Sub = prog
}

// inlined is a sub-playbook that was compiled already: it is compiled once, however often it is called.
type inlined struct {
	prog  *Program
	steps int
	why   string
}

func (s *sheet) inline(id string, src []byte) (*Program, string) {
	if got, ok := s.budget.subs[id]; ok {
		s.budget.steps += got.steps
		return got.prog, got.why
	}
	before := s.budget.steps
	sub := newSheet(id, src, s.w)
	sub.budget, sub.stack = s.budget, append(append([]string(nil), s.stack...), id)
	got := inlined{prog: sub.compile(), why: "it has faults of its own"}
	for _, f := range diag.Sort(sub.faults) {
		if f.Severity == diag.Error {
			got.why = fmt.Sprintf("line %d: %s", f.Line, f.Message)
			break
		}
	}
	got.steps = s.budget.steps - before
	s.budget.subs[id] = got
	return got.prog, got.why
}
