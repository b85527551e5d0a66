package playbooks

import (
	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func (s *sheet) readSeats(n *yaml.Node) []signoff.Seat {
	var out []signoff.Seat
	for _, item := range s.items(n, "by") {
		out = append(out, s.readSeat(item))
	}
	return out
}

func (s *sheet) readSeat(item *yaml.Node) signoff.Seat {
	seat := signoff.Seat{Count: 1}
	for _, e := range s.keysOf(item, "seat") {
		switch e.name {
		case "group":
			seat.Group = s.word(e.val, "group")
			s.ruleGroup(seat.Group, place(e.val))
		case "seat":
			seat.Named = s.oneOf(e.val, "seat", []string{"key_owner"})
		case "count":
			seat.Count = s.ruleSeatCount(e.val)
		case "else":
			seat.Else = s.word(e.val, "else")
			s.ruleGroup(seat.Else, place(e.val))
		}
	}
	if item.Kind == yaml.MappingNode && hasKey(item, "group") == hasKey(item, "seat") {
		s.err("signoff-approvers", place(item), "as { group: secops, count: 1 }", "a seat has a group, or a seat name, and not both")
	}
	return seat
}
