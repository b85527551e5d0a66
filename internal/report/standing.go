package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Item is one thing that is still open.
type Item struct {
	Kind  string    `json:"kind"`
	What  Sentence  `json:"what"`
	Since time.Time `json:"since,omitzero"`
}

// Kinds of what is still open.
const (
	OpenSignoff   = "signoff"
	OpenQuestion  = "question"
	OpenUnknown   = "outcome_unknown"
	OpenStep      = "step"
	OpenDependent = "dependent"
	OpenTraces    = "traces"
	OpenProof     = "proof"
	OpenForce     = "in_force"
	OpenReport    = "report"
	OpenNextStep  = "next_step"
)

// KindPosted and KindNotPosted are the ledger entries that say whether the report reached the incident.
const (
	KindPosted    = "report.posted"
	KindNotPosted = "report.not_posted"
)

// standing lists what is still open, what waits for people first.
func (f *Facts) standing() []Item {
	out := []Item{}
	add := func(kind string, since time.Time, format string, args ...any) {
		out = append(out, Item{kind, tell(format, args...), since})
	}
	for _, s := range f.Signoffs {
		if s.View.State == signoff.StateOpen {
			add(OpenSignoff, s.View.Envelope.Issued, "%s waits for people: "+fmt.Sprintf("%d of %d seats are filled.", s.View.Filled, s.View.Seats), s.View.Title)
		}
	}
	for _, q := range f.Questions {
		if q.Answer == "" {
			add(OpenQuestion, time.Time{}, "%s has not answered: %s", q.From, q.Prompt)
		}
	}
	for _, c := range f.Calls {
		if c.State == database.CallStarted {
			add(OpenUnknown, c.StartedAt, "%s on %s was started, and its outcome is not known.", c.Action, c.Target)
		}
	}
	for _, s := range f.Steps {
		if slices.Contains([]string{"failed", "parked", "waiting", "declined"}, s.Status) {
			add(OpenStep, s.FinishedAt, "Step %s is "+s.Status+": %s", s.Path, or(s.Error, "no reason was given"))
		}
	}
	for _, d := range f.Impact.Dependents {
		if d.Health == Unhealthy {
			add(OpenDependent, time.Time{}, "%s does not work: %s", d.ID, d.Detail)
		}
	}
	f.later(add)
	return out
}

// later adds what remains for the days after.
func (f *Facts) later(add func(kind string, since time.Time, format string, args ...any)) {
	traces := 0
	for _, i := range f.Indicators {
		if i.Kind == IndicatorTrace {
			traces++
		}
	}
	switch {
	case traces == 1:
		add(OpenTraces, time.Time{}, "The intruder may have left a trace, which no step removes; the report lists it under indicators.")
	case traces > 1:
		add(OpenTraces, time.Time{}, fmt.Sprintf("The intruder may have left %d traces, which no step removes; the report lists them under indicators.", traces))
	}
	if f.Run.State == "done" && f.Run.Mode == incident.ModeEnforce && f.Run.Outcome != incident.OutcomeFalseAlarm && f.Run.Outcome != incident.OutcomeJoined && !f.Mark("proven").Known() {
		add(OpenProof, f.Run.FinishedAt, "No probe proved that the provider refuses the key.")
	}
	for _, u := range f.InForce {
		if k := f.Run.Key; k != nil && (u.Target == k.Target() || strings.HasPrefix(u.Target, k.Target()+" (")) && f.Mark("revoked").Known() {
			continue // a measure on a key that is gone for good holds nobody up
		}
		add(OpenForce, u.At, "%s is in force on %s; %s takes it back.", u.Step, u.Target, u.Action)
	}
	for _, row := range slices.Backward(f.Ledger) {
		if row.Kind == KindPosted {
			break
		}
		if row.Kind == KindNotPosted {
			add(OpenReport, row.At, "The report did not reach the incident: %s", field(row.Body, "why"))
			break
		}
	}
	for _, s := range f.Review.NextSteps {
		if !s.Done {
			add(OpenNextStep, s.At, "%s owns: %s"+due(s.Due), s.Owner, s.Text)
		}
	}
}

func due(day string) string {
	if day == "" {
		return ""
	}
	return " (until " + day + ")"
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
