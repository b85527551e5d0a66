package signoff

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Validate collects everything that keeps this policy from being used. groups is the number of people per group,
// -1 where only the chat system knows it.
func (p Policy) Validate(groups map[string]int) error {
	var f faults
	if _, err := compileAuto(p.Undoable.AutoIf); err != nil {
		f = append(f, err.Error())
	}
	f.seats("policy.undoable.default_signoff", p.Undoable.DefaultSignoff, nil, groups)
	f.seats("policy.final.seats", p.Final.Seats, p.Final.Exclude, groups)
	f.exclude("policy.final.exclude", p.Final.Exclude)
	f.positive("policy.final.expires", p.Final.Expires)
	f.positive("policy.final.use_within", p.Final.UseWithin)
	f.seats("policy.undo.seats", p.Undo.Seats, p.Undo.Exclude, groups)
	f.exclude("policy.undo.exclude", p.Undo.Exclude)
	if p.AutoLimit.Runs <= 0 {
		f.add("policy.auto_limit.runs is %d; say how many automatic runs may start before people are asked, 1 or more", p.AutoLimit.Runs)
	}
	f.positive("policy.auto_limit.per", p.AutoLimit.Per)
	f.group("policy.responders", p.Responders, 1, 0, groups)
	for _, g := range p.MayAdd {
		f.group("policy.may_add", g, 1, 0, groups)
	}
	if len(f) == 0 {
		return nil
	}
	slices.Sort(f)
	return errors.New(strings.Join(f, "\n"))
}

type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f *faults) positive(where string, d Duration) {
	if d <= 0 {
		f.add("%s is missing or zero; write a duration, as 10m or 4h", where)
	}
}

func (f *faults) exclude(where string, names []string) {
	if len(names) == 0 {
		f.add("%s is missing or empty; name at least one of %s, %s", where, PartStarter, PartKeyOwner)
	}
	for _, n := range names {
		if _, ok := (Parties{}).of(n); !ok {
			f.add("%s names %q; it may name %s and %s", where, n, PartStarter, PartKeyOwner)
		}
	}
}

// seats checks each seat, then whether every group could fill all that is asked of it when each excluded part
// turns out to be another of its members, and each named part falls to its stand-in.
func (f *faults) seats(where string, seats []Seat, exclude []string, groups map[string]int) {
	if len(seats) == 0 {
		f.add("%s is missing or empty; say who decides, as [{ group: secops, count: 2 }]", where)
	}
	need := map[string]int{}
	for i, s := range seats {
		at := fmt.Sprintf("%s[%d]", where, i)
		if why := s.fault(); why != "" {
			f.add("%s %s", at, why)
			continue
		}
		if s.Named != "" && s.Else == "" {
			f.add("%s names %q but nobody for when there is no such person; add else: <group>", at, s.Named)
			continue
		}
		need[s.Group+s.Else] += s.Count
	}
	for g, n := range need {
		f.group(where, g, n, len(slices.Compact(slices.Sorted(slices.Values(exclude)))), groups)
	}
}

func (f *faults) group(where, name string, need, excluded int, groups map[string]int) {
	size, ok := groups[name]
	switch {
	case name == "":
		f.add("%s is missing; name a group", where)
	case !ok:
		f.add("%s names the group %q, which the section groups does not have", where, name)
	case size < 0: // only the chat system knows
	case size == 0:
		f.add("%s names the group %q, which has nobody in it", where, name)
	case size-excluded < need:
		f.add("%s needs %d of the group %q, which has %d people of whom up to %d are excluded; add people or ask for fewer", where, need, name, size, excluded)
	}
}

// maxSeats keeps a slip of the finger from asking for a thousand people.
const maxSeats = 100

// fault says what is wrong with a seat as a policy or a playbook writes it.
func (s Seat) fault() string {
	_, known := Parties{}.of(s.Named)
	switch {
	case s.Group == "" && s.Named == "":
		return "names neither a group nor a seat"
	case s.Group != "" && s.Named != "":
		return fmt.Sprintf("names both the group %q and the seat %q; write two entries", s.Group, s.Named)
	case s.Group != "" && s.Else != "":
		return fmt.Sprintf("has an else for the group %q; only a named seat has one", s.Group)
	case s.Named != "" && !known:
		return fmt.Sprintf("names the seat %q; it may be %s or %s", s.Named, PartStarter, PartKeyOwner)
	case s.Named != "" && s.Count != 1:
		return fmt.Sprintf("asks for %d of the seat %q, which is one person; write count: 1", s.Count, s.Named)
	case s.Count < 1 || s.Count > maxSeats:
		return fmt.Sprintf("asks for %d of the group %q; write a count from 1 to %d", s.Count, s.Group, maxSeats)
	}
	return ""
}
