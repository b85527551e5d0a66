package playbooks

import (
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Describe tells a playbook in plain sentences, in order: what each step does, whether it can be undone and who must
// sign. It reads the program alone.
func Describe(p *Program) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", line(p.Title), p.ID)
	if p.Trigger != "" {
		fmt.Fprintf(&b, "Starts when %s%s.\n", line(p.Trigger), before(p))
	} else {
		b.WriteString("Starts by hand or from another playbook.\n")
	}
	describeProgram(&b, p, "")
	return b.String()
}

func before(p *Program) string {
	if p.Priority == 0 {
		return ""
	}
	return fmt.Sprintf(", before playbooks of a priority below %d", p.Priority)
}

func describeProgram(b *strings.Builder, p *Program, indent string) {
	describeSteps(b, p.Steps, indent, false)
	if len(p.OnFailure) > 0 {
		b.WriteString(indent + "If the run fails or is stopped:\n")
		describeSteps(b, p.OnFailure, indent+"  ", false)
	}
	if len(p.Finally) > 0 {
		b.WriteString(indent + "In the end, always:\n")
		describeSteps(b, p.Finally, indent+"  ", false)
	}
}

func describeSteps(b *strings.Builder, steps []Step, indent string, signed bool) {
	for i := range steps {
		st := &steps[i]
		fmt.Fprintf(b, "%s%d. %s: %s\n", indent, i+1, st.ID, describeStep(st, signed))
		inner := indent + "   "
		if st.Signoff != nil {
			b.WriteString(inner + describeSignoff(st.Signoff) + "\n")
		}
		describeSteps(b, st.Steps, inner, signed || st.Signoff != nil)
		if st.Sub != nil {
			describeProgram(b, st.Sub, inner)
		}
	}
}

func describeStep(st *Step, signed bool) string {
	var out string
	if st.Title != "" {
		out = strings.TrimRight(line(st.Title), ".?!") + ". "
	}
	switch st.Kind {
	case KindAction:
		out += describeAction(st, signed)
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
		out += fmt.Sprintf("Asks %s to %s; without an answer in %s it is %q.", line(st.Ask.From), what, st.Ask.Within.Std(), line(st.Ask.Otherwise))
	case KindWait:
		out += fmt.Sprintf("Waits %s.", st.Wait.Std())
	case KindPlaybook:
		out += fmt.Sprintf("Runs the playbook %s:", st.Sub.ID)
	case KindEnd:
		out += fmt.Sprintf("Ends the run as %s.", st.End)
		if st.End == "false_alarm" {
			out += " What is in force is undone under one sign-off."
		}
	}
	if st.If != "" {
		out += " Only if " + line(st.If) + "."
	}
	return out
}

func describeAction(st *Step, signed bool) string {
	a := st.Action
	out := a.Uses + " ("
	switch a.Effect {
	case signoff.EffectObserve:
		out += "looks only)."
	case signoff.EffectNotify:
		out += "tells people)."
	case signoff.EffectUndoable:
		out += "changes something that can be undone)."
		if !signed && st.Signoff == nil {
			out += " Runs by itself where policy allows it, else under the policy's default sign-off."
		}
	default:
		out += "FINAL: cannot be undone)."
	}
	if a.Until != "" {
		out += fmt.Sprintf(" Repeats every %s until %s, at most %s.", a.Every.Std(), line(a.Until), a.Within.Std())
	}
	switch a.OnError {
	case OnErrorContinue:
		out += " An error does not hold the run up."
	case OnErrorStop:
		out += " An error stops the run."
	}
	return out
}

func describeSignoff(s *Signoff) string {
	var seats []string
	for _, seat := range s.Seats {
		switch {
		case seat.Named != "" && seat.Else != "":
			seats = append(seats, fmt.Sprintf("the %s (or %s)", strings.ReplaceAll(seat.Named, "_", " "), line(seat.Else)))
		case seat.Named != "":
			seats = append(seats, "the "+strings.ReplaceAll(seat.Named, "_", " "))
		default:
			seats = append(seats, fmt.Sprintf("%d of %s", seat.Count, line(seat.Group)))
		}
	}
	out := "Must be signed by " + strings.Join(seats, " and ")
	if s.Within > 0 {
		out += fmt.Sprintf(" within %s", s.Within.Std())
	}
	out += map[string]string{"skip": "; otherwise it is skipped.", "stop": "; otherwise the run stops."}[s.Otherwise]
	for _, e := range s.Escalate {
		when := e.After.Std().String()
		if e.AfterUSD > 0 {
			when = fmt.Sprintf("%d USD", e.AfterUSD)
		}
		out += fmt.Sprintf(" After %s %s is called", when, line(e.To))
		if e.Adds {
			out += " and may sign, too, where policy allows it"
		}
		out += "."
	}
	return out
}

func valueText(v Value) string {
	if v.Kind == ValueExpr {
		return v.Expr
	}
	return fmt.Sprintf("a list of %d", len(v.List))
}

// line keeps a text of the file on one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
