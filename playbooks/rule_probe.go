package playbooks

import "strings"

// ruleProbe warns when a revocation is believed and never proven: a deleted key can work for minutes more.
func ruleProbe(s *sheet) {
	for i, n := range s.nodes {
		if !n.known || !strings.HasSuffix(n.step.Action.Uses, ".revoke") || n.card.Effect != "final" {
			continue
		}
		noun, _, _ := strings.Cut(n.step.Action.Uses, ".")
		proven := false
		for _, later := range s.nodes[i+1:] {
			proven = proven || (later.known && later.step.Action.Uses == noun+".probe")
		}
		if !proven {
			s.warn("never-probed", n.key("uses"), noun+".probe behind it, until result.state == \"refused\"", "%s is never proven", n.step.Action.Uses)
		}
	}
}
