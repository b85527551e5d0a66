package signoff

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// takes reports whether the person of d could fill this seat. A seat that names both a group and a part, or neither,
// is malformed and takes nobody.
func (s Seat) takes(d Decision, excluded []string) bool {
	if d.Person == "" || s.Count <= 0 || slices.Contains(excluded, d.Person) || (s.Group == "") == (s.Named == "") {
		return false
	}
	if s.Group != "" {
		return slices.Contains(d.Groups, s.Group) || s.standsIn(d)
	}
	if s.vacant(excluded) {
		return s.Else != "" && slices.Contains(d.Groups, s.Else)
	}
	return d.Person == s.Person
}

// standsIn reports whether an escalation made the person eligible before they decided.
func (s Seat) standsIn(d Decision) bool {
	return slices.ContainsFunc(s.Also, func(a StandIn) bool {
		return !a.From.IsZero() && !d.At.Before(a.From) && slices.Contains(d.Groups, a.Group)
	})
}

// vacant reports whether a named part has nobody who may decide, so that its stand-in group does.
func (s Seat) vacant(excluded []string) bool {
	return s.Person == "" || slices.Contains(excluded, s.Person)
}

// Seats counts how many seats of the rule the approvals fill at best, by matching and not first come: whoever fits
// only one seat gets it, even when somebody else could have taken it earlier. One person fills one seat.
func Seats(rule Rule, decisions []Decision) (filled, total int) {
	for _, s := range rule.Seats {
		if s.Count > 0 {
			total += min(s.Count, math.MaxInt32)
		}
	}
	people := approvers(decisions)
	m := matching{rule: rule, people: people, sits: make([][]int, len(rule.Seats))}
	for p := range people {
		if m.place(p, make([]bool, len(rule.Seats))) {
			filled++
		}
	}
	return filled, total
}

// Quorum reports whether every seat is filled and nobody rejected. A rule with no seats, or with a seat of no
// places, is never filled: an empty demand is a mistake and must not open anything.
func Quorum(rule Rule, decisions []Decision) bool {
	if len(rule.Seats) == 0 {
		return false
	}
	for _, s := range rule.Seats {
		if s.Count <= 0 {
			return false
		}
	}
	for _, d := range decisions {
		if d.Verb == Reject {
			return false
		}
	}
	filled, total := Seats(rule, decisions)
	return total > 0 && filled == total
}

// approvers are the first approvals of distinct people who did not reject.
func approvers(decisions []Decision) []Decision {
	gone := map[string]bool{}
	for _, d := range decisions {
		if d.Verb == Reject {
			gone[d.Person] = true
		}
	}
	var out []Decision
	for _, d := range decisions {
		if d.Verb == Approve && !gone[d.Person] {
			gone[d.Person] = true
			out = append(out, d)
		}
	}
	return out
}

// matching is Kuhn's augmenting paths with seats of several places.
type matching struct {
	rule   Rule
	people []Decision
	sits   [][]int // seat -> people in it
}

func (m *matching) place(p int, tried []bool) bool {
	for s, seat := range m.rule.Seats {
		if tried[s] || !seat.takes(m.people[p], m.rule.Excluded) {
			continue
		}
		tried[s] = true
		if len(m.sits[s]) < seat.Count {
			m.sits[s] = append(m.sits[s], p)
			return true
		}
		for i, q := range m.sits[s] {
			if m.place(q, tried) {
				m.sits[s][i] = p
				return true
			}
		}
	}
	return false
}

// Who says in words who may decide, for refusals and for the card.
func (r Rule) Who() string {
	var parts []string
	for _, s := range r.Seats {
		switch {
		case s.Group != "":
			parts = append(parts, fmt.Sprintf("%d of group %q", s.Count, s.Group)+s.also())
		case s.vacant(r.Excluded):
			parts = append(parts, fmt.Sprintf("1 of group %q (for %s)", s.Else, s.Named))
		default:
			parts = append(parts, fmt.Sprintf("%q (%s)", s.Person, s.Named))
		}
	}
	if len(parts) == 0 {
		return "nobody (the rule has no seats)"
	}
	return strings.Join(parts, " and ")
}

func (s Seat) also() string {
	words := ""
	for _, a := range s.Also {
		words += fmt.Sprintf(" (or of %q, from %s on)", a.Group, stamp(a.From))
	}
	return words
}

// Groups lists every group whose members could fill a seat, now or later.
func (r Rule) Groups() []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, s := range r.Seats {
		add(s.Group)
		add(s.Else)
		for _, a := range s.Also {
			add(a.Group)
		}
	}
	return out
}

// WhoNot says who may not decide; empty where nobody is excluded.
func (r Rule) WhoNot() string {
	var parts []string
	for _, p := range r.Excluded {
		parts = append(parts, fmt.Sprintf("%q", p))
	}
	return strings.Join(parts, ", ")
}
