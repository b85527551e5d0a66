package signoff

import (
	"fmt"
	"slices"
	"time"
)

// Rule is who decides one request: the seats of the policy and those the playbook asks for, merged so that both are
// satisfied (per group the larger count), and the exclusions of the policy as person ids.
//
//   - undo asks policy.undo, whatever the effect of the action that takes something back: that section is what an
//     installation says about undoing. The same action as a step of a playbook is judged by its own effect.
//   - observe and notify need nobody: without asked the rule is empty. An empty rule never reaches quorum.
//   - Where policy excludes a person who also has a named seat, the exclusion wins and the seat falls to its
//     stand-in group. This concerns final and undo; undoable actions exclude nobody.
//   - A part that nobody has (an automatic run has no starter), or that the inventory does not know, excludes nobody.
func (p Policy) Rule(effect string, undo bool, asked []Seat, who Parties) (Rule, error) {
	base, exclude, err := p.demands(effect, undo)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{Seats: []Seat{}, Excluded: []string{}}
	for _, part := range exclude {
		person, known := who.of(part)
		if !known {
			return Rule{}, fmt.Errorf("policy excludes %q; it may exclude %s and %s", part, PartStarter, PartKeyOwner)
		}
		if person != "" {
			r.Excluded = append(r.Excluded, person)
		}
		if part == PartKeyOwner {
			r.Excluded = append(r.Excluded, who.Owners...)
		}
	}
	slices.Sort(r.Excluded)
	r.Excluded = slices.Compact(r.Excluded)
	ours, err := gather("policy", base)
	if err != nil {
		return Rule{}, err
	}
	theirs, err := gather("the playbook", asked)
	if err != nil {
		return Rule{}, err
	}
	if r.Seats, err = merge(ours, theirs); err != nil {
		return Rule{}, err
	}
	for i, s := range r.Seats {
		if s.Named == "" {
			continue
		}
		s.Person, _ = who.of(s.Named)
		if s.vacant(r.Excluded) && s.Else == "" {
			return Rule{}, fmt.Errorf("nobody can take the seat %q: there is no such person, or policy excludes them, and it has no else", s.Named)
		}
		r.Seats[i] = s
	}
	return r, nil
}

// Escalate freezes into the rule that groups may decide later, too: only groups that policy.may_add names, and only for
// seats of a group; a named part is one person. Exclusions hold for whoever is added. The rest is left as it is.
func (p Policy) Escalate(r Rule, adds []StandIn) Rule {
	seats := slices.Clone(r.Seats)
	for i, s := range seats {
		for _, a := range adds {
			if s.Group != "" && s.Group != a.Group && slices.Contains(p.MayAdd, a.Group) {
				seats[i].Also = append(slices.Clone(seats[i].Also), StandIn{a.Group, a.From.UTC().Truncate(time.Second)})
			}
		}
	}
	r.Seats = seats
	return r
}

// Adds says from when on an escalation makes a group eligible; false where none does.
func (r Rule) Adds(group string) (from time.Time, adds bool) {
	for _, s := range r.Seats {
		for _, a := range s.Also {
			if a.Group == group && (!adds || a.From.Before(from)) {
				from, adds = a.From, true
			}
		}
	}
	return from, adds
}

// demands is what policy asks for an effect. What has to have people and names none is an error, never a free pass.
func (p Policy) demands(effect string, undo bool) (seats []Seat, exclude []string, err error) {
	switch effect {
	case EffectObserve, EffectNotify, EffectUndoable, EffectFinal:
	default:
		return nil, nil, fmt.Errorf("%q is not an effect; it is one of %s, %s, %s, %s", effect, EffectObserve, EffectNotify, EffectUndoable, EffectFinal)
	}
	section := ""
	switch {
	case undo:
		section, seats, exclude = "undo.seats", p.Undo.Seats, p.Undo.Exclude
	case effect == EffectFinal:
		section, seats, exclude = "final.seats", p.Final.Seats, p.Final.Exclude
	case effect == EffectUndoable:
		section, seats = "undoable.default_signoff", p.Undoable.DefaultSignoff
	default:
		return nil, nil, nil
	}
	if len(seats) == 0 {
		return nil, nil, fmt.Errorf("policy.%s names nobody, so that nobody can decide; say who does", section)
	}
	return seats, exclude, nil
}

// gather adds up what one list asks of each group: two entries for one group are two sets of people.
func gather(whose string, seats []Seat) ([]Seat, error) {
	var out []Seat
	for _, s := range seats {
		if why := s.fault(); why != "" {
			return nil, fmt.Errorf("a seat of %s %s", whose, why)
		}
		s.Person, s.Also = "", nil // never from a file: the gateway says who has a part, and Escalate who is added
		i := slices.IndexFunc(out, s.like)
		switch {
		case i < 0:
			out = append(out, s)
		case s.Named != "":
			return nil, fmt.Errorf("%s has the seat %q twice, but it is one person", whose, s.Named)
		default:
			out[i].Count += s.Count
		}
	}
	return out, nil
}

func merge(ours, theirs []Seat) ([]Seat, error) {
	out := append([]Seat{}, ours...)
	for _, s := range theirs {
		i := slices.IndexFunc(out, s.like)
		switch {
		case i < 0:
			out = append(out, s)
		case out[i].Else != s.Else:
			return nil, fmt.Errorf("for the seat %q policy has the stand-in %q and the playbook %q; write the same group in the playbook", s.Named, out[i].Else, s.Else)
		default:
			out[i].Count = max(out[i].Count, s.Count)
		}
	}
	return out, nil
}

// like reports whether two seats are of the same group or part.
func (s Seat) like(t Seat) bool { return s.Group == t.Group && s.Named == t.Named }
