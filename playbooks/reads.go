package playbooks

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// read is one place where an expression reads a step.
type read struct {
	site   *site
	use    use
	target *node // nil: identify or unknown
}

// reads are all of them, in the order of the sites.
func (s *sheet) reads() []read {
	var out []read
	for _, x := range s.sites {
		if x.info == nil {
			continue
		}
		for _, u := range x.uses {
			if u.step != "" {
				out = append(out, read{x, u, s.byID[u.step]})
			}
		}
	}
	return out
}

// at is the place of the use in the file: of the name that its chain of fields begins with.
func (r read) at() pos {
	n := r.use.node
	for {
		switch x := n.(type) {
		case *ast.ChainNode:
			n = x.Node
			continue
		case *ast.MemberNode:
			n = x.Node
			continue
		}
		return r.site.places.at(n.Location().From)
	}
}

// visible reports whether a step that stands before another may be read from it, and why not.
func visible(reader, target *node) (bool, string) {
	if reader == nil {
		return false, "vars are computed before the first step"
	}
	if target.within(reader) {
		return false, "it is the step itself or a part of it"
	}
	if reader.within(target) {
		return false, "it is not over while its parts run"
	}
	if target.order > reader.order {
		return false, "it stands later in the file"
	}
	for _, z := range target.up()[1:] {
		if reader.within(z) {
			if z.step.Kind == KindParallel {
				return false, "it runs beside this one, in another branch"
			}
			break
		}
		if z.step.Kind == KindLoop {
			return false, "outside a loop only the loop's own outputs exist"
		}
	}
	return true, ""
}

// mayBeAbsent says why a step that stands before the reader may have no outputs; "" if it surely has.
func mayBeAbsent(reader, target *node) string {
	if reader == nil || reader.section != target.section {
		return "the run may end before it"
	}
	for _, z := range target.up() {
		if reader.within(z) {
			break
		}
		switch {
		case z.step.If != "" && !sameIf(reader, z.step.If):
			return "it runs only if its condition holds"
		case z.step.Signoff != nil && z.step.Signoff.Otherwise == "skip":
			return "its sign-off may skip it"
		case z.step.Action != nil && z.step.Action.OnError == OnErrorContinue:
			return "it has on_error: continue"
		}
	}
	return ""
}

// sameIf reports whether the reader stands under the same condition, where that cannot change from one to the other.
func sameIf(reader *node, cond string) bool {
	for _, x := range reader.up() {
		if x.step.If == cond && !strings.Contains(cond, "now(") && !strings.Contains(cond, "incident") {
			return true
		}
	}
	return false
}

// guarded reports whether a read survives the absence of its step.
func (s *sheet) guarded(r read) bool {
	if !r.use.outputs || (r.use.opt && r.use.def) || slices.Contains(r.use.known, r.use.step) {
		return true
	}
	for _, x := range r.site.in.up() {
		if x == r.site.in && r.site.key == "if" {
			continue
		}
		if cond := s.conditionOf(x); cond != nil && slices.Contains(doneIn(cond.info.root), r.use.step) {
			return true
		}
	}
	return false
}

// conditionOf is the checked "if" of a step, or nil.
func (s *sheet) conditionOf(n *node) *site {
	if n.step.If == "" {
		return nil
	}
	for _, x := range s.sites {
		if x.in == n && x.key == "if" && x.info != nil {
			return x
		}
	}
	return nil
}
