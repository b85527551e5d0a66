package playbooks

import "go.yaml.in/yaml/v3"

func (s *sheet) readSignoff(n *yaml.Node, x *node) *Signoff {
	out := &Signoff{Otherwise: "stop", Why: Value{Kind: ValueLit, Lit: ""}}
	for _, e := range s.keysOf(n, "signoff") {
		switch e.name {
		case "by":
			out.Seats = s.readSeats(e.val)
		case "why":
			out.Why = s.value(e.val, "signoff.why", x)
		case "within":
			out.Within = s.duration(e.val, "within")
		case "otherwise":
			out.Otherwise = s.ruleSignoffOtherwise(e.val)
		case "escalate":
			for _, item := range s.items(e.val, "escalate") {
				out.Escalate = append(out.Escalate, s.readEscalation(item))
			}
		}
	}
	s.ruleSignoffSeats(n, out)
	return out
}
