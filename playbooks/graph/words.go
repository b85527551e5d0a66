package graph

import (
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Classes of a step, in SVG and in Mermaid.
const (
	classObserve  = "observe"
	classNotify   = "notify"
	classUndoable = "undoable"
	classFinal    = "final"
)

// effectClass is how an effect is drawn; one that is not known is drawn as final.
func effectClass(effect string) string {
	switch effect {
	case signoff.EffectObserve:
		return classObserve
	case signoff.EffectNotify:
		return classNotify
	case signoff.EffectUndoable:
		return classUndoable
	}
	return classFinal
}

func effectWord(class string) string {
	return map[string]string{classObserve: "LOOKS", classNotify: "TELLS PEOPLE", classUndoable: "CAN BE UNDONE", classFinal: "FINAL: CANNOT BE UNDONE"}[class]
}

// name is what a step is called: its title, or its id.
func name(st *playbooks.Step) string {
	if strings.TrimSpace(st.Title) != "" {
		return st.Title
	}
	return st.ID
}

// seats says who signs.
func seats(all []signoff.Seat) string {
	var out []string
	for _, s := range all {
		switch {
		case s.Named != "" && s.Else != "":
			out = append(out, fmt.Sprintf("the %s (else %s)", strings.ReplaceAll(s.Named, "_", " "), s.Else))
		case s.Named != "":
			out = append(out, "the "+strings.ReplaceAll(s.Named, "_", " "))
		default:
			out = append(out, fmt.Sprintf("%d of %s", s.Count, s.Group))
		}
	}
	if len(out) == 0 {
		return "nobody"
	}
	return strings.Join(out, " and ")
}

// terms are what happens around a sign-off.
func terms(s *playbooks.Signoff) string {
	var out []string
	if s.Within > 0 {
		out = append(out, "within "+s.Within.Short())
	}
	if s.Otherwise == "skip" {
		out = append(out, "otherwise it is skipped")
	} else {
		out = append(out, "otherwise the run stops")
	}
	for _, e := range s.Escalate {
		when := e.After.Short()
		if e.AfterUSD > 0 {
			when = fmt.Sprintf("%d USD", e.AfterUSD)
		}
		also := " is called"
		if e.Adds {
			also = " may sign, too"
		}
		out = append(out, "after "+when+" "+e.To+also)
	}
	return strings.Join(out, "; ")
}

// details of an action beside its name.
func details(a *playbooks.Action) string {
	var out []string
	if a.Until != "" {
		out = append(out, fmt.Sprintf("every %s until %s, at most %s", a.Every.Short(), a.Until, a.Within.Short()))
	}
	switch a.OnError {
	case playbooks.OnErrorContinue:
		out = append(out, "an error holds nothing up")
	case playbooks.OnErrorStop:
		out = append(out, "an error stops the run")
	}
	return strings.Join(out, "; ")
}

func question(a *playbooks.Ask) string {
	what := strings.Join(a.Choices, " or ")
	if len(a.Form) > 0 {
		var names []string
		for _, f := range a.Form {
			names = append(names, f.Name)
		}
		what = "fill in " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s? No answer in %s: %s", what, a.Within.Short(), a.Otherwise)
}

func loopHead(st *playbooks.Step) string {
	over := fmt.Sprintf("a list of %d", len(st.Loop.Over.List))
	if st.Loop.Over.Kind == playbooks.ValueExpr {
		over = st.Loop.Over.Expr
	}
	head := fmt.Sprintf("For each %s of %s", st.Loop.As, over)
	if st.Loop.AtOnce > 1 {
		head += fmt.Sprintf(", %d at once", st.Loop.AtOnce)
	}
	if st.Title != "" {
		head = sentence(st.Title) + head
	}
	return head
}

// sentence is a title with a stop behind it, unless it has its own.
func sentence(title string) string {
	title = strings.TrimSpace(title)
	if strings.HasSuffix(title, "?") || strings.HasSuffix(title, "!") {
		return title + " "
	}
	return strings.TrimRight(title, ".") + ". "
}

func endWords(st *playbooks.Step) string {
	what := "The run ends: " + strings.ReplaceAll(st.End, "_", " ")
	if st.End == "false_alarm" {
		what += ". What is in force is undone, under one sign-off"
	}
	return what
}

// starts says when a playbook runs.
func starts(p *playbooks.Program) string {
	if p.Trigger == "" {
		return "Run by hand, or by another playbook"
	}
	return "Alert: " + p.Trigger
}
