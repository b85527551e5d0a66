package playbooks

import (
	"strings"

	"github.com/expr-lang/expr/types"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

// Compile reads, checks and compiles a playbook. All faults come at once, sorted; the program is nil if any of them
// is an error. A file may be hostile: the work is bounded by its size, depth and number of steps.
func Compile(file string, src []byte, w World) (*Program, []diag.Fault) {
	s := newSheet(file, src, w)
	p := s.compile()
	return p, diag.Sort(s.faults)
}

func newSheet(file string, src []byte, w World) *sheet {
	return &sheet{
		file: file, src: src, w: w, budget: newBudget(), lines: strings.Split(string(src), "\n"),
		p:    &Program{Version: ProgramVersion, Digest: digest(src), Source: string(src)},
		keys: map[string]pos{}, byID: map[string]*node{}, top: map[string][]*node{}, vars: map[string]types.Type{},
	}
}

func (s *sheet) compile() *Program {
	root := s.readYAML()
	if root == nil {
		return nil
	}
	s.readTop(root)
	s.checkExpressions()
	for _, rule := range checks() {
		rule(s)
	}
	if diag.HasErrors(s.faults) {
		return nil
	}
	s.p.Steps = assemble(s.top[SectionSteps])
	s.p.OnFailure = assemble(s.top[SectionOnFailure])
	s.p.Finally = assemble(s.top[SectionFinally])
	for _, place := range Unsigned(s.p) { // the rule said so already, unless it is wrong
		s.err("final-without-signoff", pos{place.Step.Line, 1}, "add signoff: to the step or to a group around it", "%q cannot be undone, and nobody signs for it", place.Path)
	}
	if diag.HasErrors(s.faults) {
		return nil
	}
	return s.p
}

func assemble(nodes []*node) []Step {
	var out []Step
	for _, n := range nodes {
		n.step.Steps = assemble(n.kids)
		out = append(out, n.step)
	}
	return out
}
