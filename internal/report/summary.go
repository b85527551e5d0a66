package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// summary tells the run in a few sentences, in the order in which somebody asks on Monday.
func (f *Facts) summary() []Sentence {
	out := []Sentence{f.beginning(), f.loss(), f.measure()}
	if s, told := f.people(); told {
		out = append(out, s)
	}
	out = append(out, f.key())
	if n := len(f.Impact.Dependents); n > 0 {
		moved, well := 0, 0
		for _, d := range f.Impact.Dependents {
			if d.NewKey == "yes" {
				moved++
			}
			if d.Health == Healthy {
				well++
			}
		}
		out = append(out, tell(fmt.Sprintf("%d of %d dependents got a new key; %d of them are known to work.", moved, n, well)))
	}
	return append(out, f.ending())
}

func (f *Facts) beginning() Sentence {
	if len(f.Alerts) == 0 {
		return tell("%s started this run by hand at "+Stamp(f.Run.StartedAt)+", about the key %s.", or(f.Run.Starter, "somebody"), f.KeyWords())
	}
	a := f.Alerts[0].Alert
	s := tell("%s reported %s at "+Stamp(a.ReceivedAt)+". The key is %s", a.Source, a.Kind, f.KeyWords())
	if f.Run.Key != nil && f.Run.Key.Owner != "" {
		s.parts = append(s.parts, tell(", owned by %s.", f.Run.Key.Owner).parts...)
	} else {
		s.parts = append(s.parts, part{text: "."})
	}
	if n := len(f.Alerts) - 1; n > 0 {
		s.parts = append(s.parts, part{text: fmt.Sprintf(" %d more alerts joined it.", n)})
	}
	return s
}

func (f *Facts) loss() Sentence {
	abuse, calls, cost := f.Mark("first_abuse"), f.figure("abuse_calls"), f.figure("abuse_usd")
	switch {
	case !abuse.Known():
		spent := f.figure("last_seen")
		if spent.Text == Unknown {
			return tell("Neither when the abuse began nor what it cost is known.")
		}
		return tell("When the abuse began is not known. When somebody last looked, "+spent.Text+" was spent, %s.", or(spent.Basis, "on a basis that nobody gave"))
	case calls.Text == Unknown:
		return tell("The first abuse is of " + Stamp(abuse.At) + ", " + f.SinceAlert(abuse.At) + "; what it cost is not known.")
	}
	return tell("The first abuse is of "+Stamp(abuse.At)+", "+f.SinceAlert(abuse.At)+". From then on there were "+calls.Text+" calls that cost "+cost.Text+", %s.", or(cost.Basis, "on a basis that nobody gave"))
}

func (f *Facts) measure() Sentence {
	first, contained := f.Mark("first_action"), f.Mark("contained")
	switch {
	case f.Run.Mode != incident.ModeEnforce:
		return tell("Mode observe: nothing was contained, changed or revoked.")
	case contained.Known():
		return tell("The first measure began at " + f.SinceAlert(first.At) + ", and its provider confirmed at " + f.SinceAlert(contained.At) + " that the key is contained.")
	case first.Known():
		return tell("The first change began at " + f.SinceAlert(first.At) + "; no provider confirmed that the key is contained.")
	}
	return tell("Nothing was contained.")
}

// people says who decided, and how many attempts did not count.
func (f *Facts) people() (Sentence, bool) {
	if len(f.Signoffs) == 0 {
		return Sentence{}, false
	}
	states, refused := map[string]int{}, 0
	var names []string
	for _, s := range f.Signoffs {
		states[s.View.State]++
		for _, d := range s.View.Decided {
			if name := or(d.Name, d.Person); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, a := range s.Attempts {
			if !a.Accepted {
				refused++
			}
		}
	}
	var how []string
	for _, st := range []string{signoff.StateDone, signoff.StateRejected, signoff.StateExpired, signoff.StateVoided, signoff.StateLapsed, signoff.StateFailed, signoff.StateOpen} {
		if n := states[st]; n > 0 {
			how = append(how, fmt.Sprintf("%d %s", n, st))
		}
	}
	return tell(fmt.Sprintf("People were asked for %s (%s). Their decisions are of: %%s. %s refused.", Counted(len(f.Signoffs), "sign-off", "sign-offs"), strings.Join(how, ", "), Counted(refused, "attempt was", "attempts were")), or(strings.Join(names, ", "), "nobody")), true
}

func (f *Facts) key() Sentence {
	revoked, proven := f.Mark("revoked"), f.Mark("proven")
	switch {
	case revoked.Known() && proven.Known():
		return tell("The key was revoked at " + f.SinceAlert(revoked.At) + "; at " + f.SinceAlert(proven.At) + " a probe saw the provider refuse it.")
	case revoked.Known():
		return tell("The key was revoked at " + f.SinceAlert(revoked.At) + "; no probe proved yet that the provider refuses it.")
	case proven.Known():
		return tell("At " + f.SinceAlert(proven.At) + " a probe saw the provider refuse the key; nobody revoked it for good.")
	}
	return tell("The key was not revoked.")
}

func (f *Facts) ending() Sentence {
	left := fmt.Sprintf("%d things are still open.", len(f.Open))
	switch len(f.Open) {
	case 0:
		left = "Nothing is left open."
	case 1:
		left = "One thing is still open."
	}
	if f.Run.State != done {
		return tell("The run still goes on. " + left)
	}
	return tell("It ended as " + f.Outcome() + " after " + span(f.Run.FinishedAt.Sub(f.Zero)) + ". " + left)
}

func span(d time.Duration) string { return strings.TrimPrefix(Since(d), "T+") }

// figure finds a figure by name.
func (f *Facts) figure(name string) Figure {
	for _, m := range f.Money {
		if m.Name == name {
			return m
		}
	}
	return Figure{Text: Unknown}
}
