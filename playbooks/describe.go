package playbooks

import (
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Describe tells a playbook in plain sentences, in order: what each step does, whether it can be undone and who must
// sign, policy's part included.
func Describe(p *Program, policy signoff.Policy) string {
	t := teller{policy: policy}
	t.say("", "%s (%s)", line(p.Title), p.ID)
	if p.Description != "" {
		t.say("", "%s", line(p.Description))
	}
	if p.Trigger != "" {
		t.say("", "Starts when %s%s.", line(p.Trigger), before(p))
	} else {
		t.say("", "Starts by hand or from another playbook.")
	}
	for _, in := range p.Inputs {
		need := "may be given"
		if in.Required {
			need = "must be given"
		}
		t.say("", "Its input %s, %s, %s.", in.Name, article(in.Type), need)
	}
	t.program(p, "")
	return t.b.String()
}

// teller writes sentences.
type teller struct {
	b      strings.Builder
	policy signoff.Policy
}

func (t *teller) say(indent, format string, args ...any) {
	fmt.Fprintf(&t.b, indent+format+"\n", args...)
}

func before(p *Program) string {
	if p.Priority == 0 {
		return ""
	}
	return fmt.Sprintf(", before playbooks of a priority below %d", p.Priority)
}

func (t *teller) program(p *Program, indent string) {
	t.steps(p.Steps, indent, nil)
	if len(p.OnFailure) > 0 {
		t.say(indent, "If the run fails or is stopped:")
		t.steps(p.OnFailure, indent+"  ", nil)
	}
	if len(p.Finally) > 0 {
		t.say(indent, "In the end, always:")
		t.steps(p.Finally, indent+"  ", nil)
	}
}

// steps tells steps; signed is the sign-off that covers them, or nil.
func (t *teller) steps(steps []Step, indent string, signed *Signoff) {
	for i := range steps {
		st := &steps[i]
		mine := signed
		if st.Signoff != nil {
			mine = st.Signoff
		}
		t.say(indent, "%d. %s: %s", i+1, st.ID, t.step(st, mine))
		inner := indent + "   "
		if st.Signoff != nil {
			t.say(inner, "%s", t.signoff(st))
		}
		t.steps(st.Steps, inner, mine)
		if st.Sub != nil {
			t.program(st.Sub, inner)
		}
	}
}

func (t *teller) step(st *Step, signed *Signoff) string {
	var out string
	if st.Title != "" {
		out = strings.TrimRight(line(st.Title), ".?!") + ". "
	}
	switch st.Kind {
	case KindAction:
		out += t.action(st, signed)
	case KindGroup:
		out += "In order:"
	case KindParallel:
		out += "At the same time:"
	case KindLoop:
		out += fmt.Sprintf("For each %s of %s, %d at once:", st.Loop.As, line(valueText(st.Loop.Over)), st.Loop.AtOnce)
	case KindAsk:
		what := "choose " + line(strings.Join(st.Ask.Choices, ", "))
		if len(st.Ask.Form) > 0 {
			what = "fill in " + strings.Join(fieldNames(st.Ask.Form), ", ")
		}
		out += fmt.Sprintf("Asks %s to %s; without an answer in %s it is %q.", line(st.Ask.From), what, st.Ask.Within.Short(), line(st.Ask.Otherwise))
	case KindWait:
		out += fmt.Sprintf("Waits %s.", st.Wait.Short())
	case KindPlaybook:
		out += fmt.Sprintf("Runs the playbook %s:", st.Sub.ID)
	case KindEnd:
		out += fmt.Sprintf("Ends the run as %s.", st.End)
		if st.End == "false_alarm" {
			out += " What is in force is undone under one sign-off by " + seatWords(t.policy.Undo.Seats) + "."
		}
	}
	if st.If != "" {
		out += " Only if " + line(st.If) + "."
	}
	return out
}

func (t *teller) action(st *Step, signed *Signoff) string {
	a := st.Action
	out := a.Uses + " ("
	switch a.Effect {
	case signoff.EffectObserve:
		out += "looks only)."
	case signoff.EffectNotify:
		out += "tells people)."
	case signoff.EffectUndoable:
		out += "changes something that can be undone)."
		if signed == nil {
			out += " Runs by itself where policy allows it, else under policy's default sign-off: " + seatWords(t.policy.Undoable.DefaultSignoff) + "."
		}
	default:
		out += "FINAL: cannot be undone)."
	}
	if a.Until != "" {
		out += fmt.Sprintf(" Repeats every %s until %s, at most %s.", a.Every.Short(), line(a.Until), a.Within.Short())
	}
	switch a.OnError {
	case OnErrorContinue:
		out += " An error does not hold the run up."
	case OnErrorStop:
		out += " An error stops the run."
	}
	return out
}

// signoff says who must sign, what policy adds, and what happens otherwise.
func (t *teller) signoff(st *Step) string {
	s := st.Signoff
	out := "Must be signed by " + seatWords(s.Seats)
	if s.Within > 0 {
		out += " within " + s.Within.Short()
	} else if t.policy.Final.Expires > 0 {
		out += " within " + Dur(t.policy.Final.Expires).Short() + " (policy)"
	}
	out += map[string]string{"skip": "; otherwise it is skipped.", "stop": "; otherwise the run stops."}[s.Otherwise]
	for _, e := range s.Escalate {
		out += " " + escalationWords(e)
	}
	if holdsFinal(st) && len(t.policy.Final.Seats) > 0 {
		out += " Policy asks for at least " + seatWords(t.policy.Final.Seats)
		if len(t.policy.Final.Exclude) > 0 {
			out += ", and does not count the " + strings.ReplaceAll(strings.Join(t.policy.Final.Exclude, " or the "), "_", " ")
		}
		out += "."
	}
	return out
}

// holdsFinal reports whether a step is, or holds, something final.
func holdsFinal(st *Step) bool {
	if st.Action != nil && effectIsFinal(st.Action.Effect) {
		return true
	}
	for i := range st.Steps {
		if holdsFinal(&st.Steps[i]) {
			return true
		}
	}
	return false
}

func escalationWords(e Escalation) string {
	when := e.After.Short()
	if e.AfterUSD > 0 {
		when = fmt.Sprintf("%d USD", e.AfterUSD)
	}
	out := fmt.Sprintf("After %s %s is called", when, line(e.To))
	if e.Adds {
		out += " and may sign, too, where policy allows it"
	}
	return out + "."
}

func seatWords(all []signoff.Seat) string {
	var seats []string
	for _, seat := range all {
		switch {
		case seat.Named != "" && seat.Else != "":
			seats = append(seats, fmt.Sprintf("the %s (or %s)", strings.ReplaceAll(seat.Named, "_", " "), line(seat.Else)))
		case seat.Named != "":
			seats = append(seats, "the "+strings.ReplaceAll(seat.Named, "_", " "))
		default:
			seats = append(seats, fmt.Sprintf("%d of %s", seat.Count, line(seat.Group)))
		}
	}
	if len(seats) == 0 {
		return "nobody that policy names"
	}
	return strings.Join(seats, " and ")
}

func valueText(v Value) string {
	if v.Kind == ValueExpr {
		return v.Expr
	}
	return fmt.Sprintf("a list of %d", len(v.List))
}

// line keeps a text of the file on one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
