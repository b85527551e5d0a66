package playbooks

import "fmt"

// ruleAbsent refuses reading a step that may have no outputs as if it surely had.
func ruleAbsent(s *sheet) {
	for _, r := range s.reads() {
		if r.target == nil || !r.use.outputs {
			continue
		}
		if ok, _ := visible(r.site.in, r.target); !ok {
			continue
		}
		if why := mayBeAbsent(r.site.in, r.target); why != "" && !s.guarded(r) {
			hint := fmt.Sprintf("steps.%s.outputs?.%s ?? \"unknown\"", r.use.step, r.use.output)
			if r.use.output == "" {
				hint = fmt.Sprintf("steps.%s.outputs ?? []", r.use.step)
			}
			s.err("unguarded-reference", r.at(), "write "+hint, "step %q may have no outputs: %s", r.use.step, why)
		}
	}
}
