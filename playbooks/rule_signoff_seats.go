package playbooks

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// ruleSignoffSeats: an empty list of approvers would mean nobody or anybody; both are refused.
func (s *sheet) ruleSignoffSeats(n *yaml.Node, out *Signoff, _ *node) {
	items := s.items(n, "by")
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		s.err("signoff-approvers", place(n), "by: [{ group: secops, count: 2 }]", "the sign-off names nobody who may approve")
	}
	for _, item := range items {
		for i := 0; i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value == "count" && item.Content[i+1].Value == "0" {
				s.err("signoff-approvers", place(item.Content[i+1]), "at least 1", "a seat that counts zero people is always filled")
			}
		}
		out.Seats = append(out.Seats, s.readSeat(item))
	}
}

// ruleSignoffOtherwise: silence never approves.
func (s *sheet) ruleSignoffOtherwise(n *yaml.Node) string {
	if n.Value == "approve" {
		s.err("signoff-otherwise", place(n), "allowed: stop, skip", "silence never approves")
		return "stop"
	}
	return s.oneOf(n, "otherwise", []string{"stop", "skip"})
}

// ruleGroup refuses groups that the configuration does not have.
func (s *sheet) ruleGroup(name string, at pos) {
	if _, ok := s.w.Groups[name]; ok || name == "" {
		return
	}
	var known []string
	for g := range s.w.Groups {
		known = append(known, g)
	}
	slices.Sort(known)
	s.err("unknown-group", at, guess(name, known), "there is no group %q", crop(name))
}
