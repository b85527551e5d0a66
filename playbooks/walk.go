package playbooks

import (
	"fmt"
	"iter"
)

// Place is one step and where it stands. Parents go from the outermost inwards and include the step that inlines a
// sub-playbook.
type Place struct {
	Path    string // ids joined by "/", without loop indexes
	Step    *Step
	Parents []*Step
	Section string // steps, on_failure, finally: of the outermost playbook
	Program *Program
}

// Sections of a playbook.
const (
	SectionSteps     = "steps"
	SectionOnFailure = "on_failure"
	SectionFinally   = "finally"
)

// Steps walks every step in file order, parents before children, sub-playbooks included.
func Steps(p *Program) iter.Seq[Place] {
	return func(yield func(Place) bool) { walkProgram(p, Place{}, yield) }
}

func walkProgram(p *Program, at Place, yield func(Place) bool) bool {
	for i, steps := range [][]Step{p.Steps, p.OnFailure, p.Finally} {
		sec := at
		sec.Program = p
		if at.Section == "" {
			sec.Section = []string{SectionSteps, SectionOnFailure, SectionFinally}[i]
		}
		if !walkSteps(steps, sec, yield) {
			return false
		}
	}
	return true
}

func walkSteps(steps []Step, at Place, yield func(Place) bool) bool {
	for i := range steps {
		s := &steps[i]
		here := at
		here.Path, here.Step = JoinPath(at.Path, s.ID), s
		if !yield(here) {
			return false
		}
		inner := here
		inner.Parents = append(append([]*Step(nil), at.Parents...), s)
		if !walkSteps(s.Steps, inner, yield) {
			return false
		}
		if s.Sub != nil && !walkProgram(s.Sub, inner, yield) {
			return false
		}
	}
	return true
}

// JoinPath is the path of a step inside another.
func JoinPath(parent, id string) string {
	if parent == "" {
		return id
	}
	return parent + "/" + id
}

// ItemPath is the path of one item of a loop, as "rotate[2]".
func ItemPath(loop string, i int) string { return fmt.Sprintf("%s[%d]", loop, i) }
