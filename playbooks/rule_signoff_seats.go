package playbooks

import (
	"go.yaml.in/yaml/v3"
)

// ruleSignoffSeats: an empty list of approvers would mean nobody or anybody; both are refused.
func (s *sheet) ruleSignoffSeats(n *yaml.Node, out *Signoff) {
	if n.Kind != yaml.MappingNode || len(out.Seats) > 0 || !hasKey(n, "by") {
		return
	}
	at := place(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "by" {
			continue
		}
		if at = place(n.Content[i+1]); n.Content[i+1].Kind != yaml.SequenceNode {
			return // said already
		}
	}
	s.err("signoff-approvers", at, "by: [{ group: secops, count: 2 }]", "the sign-off names nobody who may approve")
}

// ruleSeatCount: a seat that counts nobody would always be filled.
func (s *sheet) ruleSeatCount(n *yaml.Node) int {
	if n.Value == "0" {
		s.err("signoff-approvers", place(n), "at least 1", "a seat that counts zero people is always filled")
		return 1
	}
	return s.number(n, "count", 1, 20)
}
