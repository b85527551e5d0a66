package signoff

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// brute tries every person in every free place.
func brute(rule Rule, people []Decision, left []int) int {
	if len(people) == 0 {
		return 0
	}
	best := brute(rule, people[1:], left)
	for i, s := range rule.Seats {
		if left[i] > 0 && s.takes(people[0], rule.Excluded) {
			left[i]--
			best = max(best, 1+brute(rule, people[1:], left))
			left[i]++
		}
	}
	return best
}

func TestMatchingAgreesWithTryingEverything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		groups, people := rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]string{"p", "q", "r", "s", "t", "u"})
		var rule Rule
		total := 0
		var left []int
		for range rapid.IntRange(0, 4).Draw(t, "seats") {
			s := Seat{Group: groups.Draw(t, "group"), Count: rapid.IntRange(1, 3).Draw(t, "count")}
			if rapid.Bool().Draw(t, "named") {
				s = Seat{Named: PartKeyOwner, Person: rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "person"), Else: s.Group, Count: 1}
			}
			rule.Seats = append(rule.Seats, s)
			left = append(left, s.Count)
			total += s.Count
		}
		rule.Excluded = rapid.SliceOfN(people, 0, 2).Draw(t, "excluded")
		var ds []Decision
		for range rapid.IntRange(0, 7).Draw(t, "answers") {
			ds = append(ds, Decision{Person: people.Draw(t, "who"), Groups: rapid.SliceOfN(groups, 0, 3).Draw(t, "in"),
				Verb: rapid.SampledFrom([]string{Approve, Approve, Approve, Approve, Reject}).Draw(t, "verb")})
		}
		filled, all := Seats(rule, ds)
		distinct := approvers(ds)
		if want := brute(rule, distinct, left); filled != want || all != total {
			t.Fatalf("filled %d of %d, brute force %d of %d", filled, all, want, total)
		}
		if filled > len(distinct) {
			t.Fatalf("%d people fill %d seats", len(distinct), filled)
		}
	})
}

func TestWhoFitsOneSeatOnlyGetsItWhateverTheOrder(t *testing.T) {
	t.Parallel()
	rule := Rule{Seats: []Seat{{Group: "secops", Count: 1}, {Group: "lead", Count: 1}}}
	both, only := Decision{Person: "b", Verb: Approve, Groups: []string{"secops", "lead"}}, Decision{Person: "o", Verb: Approve, Groups: []string{"secops"}}
	if !Quorum(rule, []Decision{both, only}) || !Quorum(rule, []Decision{only, both}) {
		t.Fatal("two people fill two seats in either order")
	}
	if Quorum(rule, []Decision{both, both}) || Quorum(rule, []Decision{both, only, {Person: "x", Verb: Reject}}) {
		t.Fatal("one person took two seats, or a rejection was passed over")
	}
}

func TestAnEmptyDemandIsNeverFilled(t *testing.T) {
	t.Parallel()
	d := []Decision{{Person: "a", Verb: Approve, Groups: []string{"g", ""}}}
	for _, seats := range [][]Seat{nil, {}, {{Group: "g"}}, {{Group: "g", Count: -1}}, {{Count: 1}}, {{Group: "g", Count: 1}, {Group: "h", Count: 0}}} {
		if Quorum(Rule{Seats: seats}, d) {
			t.Errorf("%+v counts as filled", seats)
		}
	}
}

func TestAnExcludedNamedPersonGivesTheSeatToTheStandIn(t *testing.T) {
	t.Parallel()
	rule := Rule{Seats: []Seat{{Named: PartKeyOwner, Person: "olga", Else: "lead", Count: 1}}, Excluded: []string{"olga"}}
	if Quorum(rule, []Decision{{Person: "olga", Verb: Approve, Groups: []string{"lead"}}}) {
		t.Fatal("an excluded person decided")
	}
	if !Quorum(rule, []Decision{{Person: "leo", Verb: Approve, Groups: []string{"lead"}}}) {
		t.Fatal("the stand-in could not decide")
	}
}

func TestAnEscalationMakesEligibleFromItsTimeOnAndOnlyWhomPolicyNames(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 4, 12, 15, 0, 0, time.UTC)
	p := DefaultPolicy()
	base := Rule{Seats: []Seat{{Group: "secops", Count: 2}, {Named: PartKeyOwner, Person: "kim", Count: 1}}, Excluded: []string{"sam"}}
	adds := []StandIn{{Group: "secops_lead", From: from}, {Group: "strangers", From: from}}
	if r := p.Escalate(base, adds); len(r.Seats[0].Also) != 0 {
		t.Errorf("a policy that names nobody adds %+v", r.Seats[0].Also)
	}
	p.MayAdd = []string{"secops_lead"}
	r := p.Escalate(base, adds)
	if len(r.Seats[0].Also) != 1 || len(r.Seats[1].Also) != 0 || len(base.Seats[0].Also) != 0 {
		t.Fatalf("the rule is %+v, and the one it was made from %+v", r, base)
	}
	lead := func(person string, at time.Time) Decision {
		return Decision{Person: person, Verb: Approve, Groups: []string{"secops_lead"}, At: at}
	}
	for name, try := range map[string]struct {
		d    Decision
		want bool
	}{
		"before its time":  {lead("lee", from.Add(-time.Microsecond)), false},
		"at its time":      {lead("lee", from), true},
		"later":            {lead("lee", from.Add(time.Hour)), true},
		"excluded, later":  {lead("sam", from.Add(time.Hour)), false},
		"another group":    {Decision{Person: "eve", Verb: Approve, Groups: []string{"strangers"}, At: from.Add(time.Hour)}, false},
		"member all along": {Decision{Person: "ann", Verb: Approve, Groups: []string{"secops"}, At: from.Add(-time.Hour)}, true},
	} {
		if ref := mayDecide(r, try.d); (ref == nil) != try.want {
			t.Errorf("%s: %v", name, ref)
		}
	}
	if from2, ok := r.Adds("secops_lead"); !ok || !from2.Equal(from) {
		t.Errorf("it adds from %s on: %v", from2, ok)
	}
	if !slices.Contains(r.Groups(), "secops_lead") || !strings.Contains(r.Who(), `or of "secops_lead", from 2026-03-04 12:15:00 UTC on`) {
		t.Errorf("groups %v, who %q", r.Groups(), r.Who())
	}
	if err := p.Validate(map[string]int{"secops": 5}); err == nil || !strings.Contains(err.Error(), "policy.may_add") {
		t.Errorf("a group that does not exist may be added: %v", err)
	}
}
