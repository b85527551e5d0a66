package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Outcome is the run's outcome, or its state while it has none.
func (f *Facts) Outcome() string {
	if f.Run.Outcome != "" {
		return strings.ReplaceAll(f.Run.Outcome, "_", " ")
	}
	return f.Run.State
}

// KeyWords names the key as people recognise it.
func (f *Facts) KeyWords() string {
	if f.Run.Key == nil {
		return "not identified"
	}
	return words(f.Run.Key.Hint, f.Run.Key.Target(), f.Run.Key.Name)
}

// StartedBy is a person, or the alert and the trust of its source.
func (f *Facts) StartedBy() string {
	switch {
	case f.Run.Starter != "":
		return f.Run.Starter + ", by hand"
	case f.Run.AlertID != "":
		return "alert " + f.Run.AlertID + " (source trusted to " + f.Run.Trust + ")"
	}
	return Unknown
}

// LedgerWords says whether the chain holds.
func (f *Facts) LedgerWords() string {
	if f.LedgerFault != "" {
		return "DAMAGED: " + f.LedgerFault
	}
	if !f.Retired.IsZero() {
		return fmt.Sprintf("%d entries, hash chain verified; what they said was erased at %s, when its time was over", len(f.Ledger), Stamp(f.Retired))
	}
	return fmt.Sprintf("%d entries, hash chain verified", len(f.Ledger))
}

// SinceAlert is the distance of a moment from the first alert.
func (f *Facts) SinceAlert(t time.Time) string {
	if t.IsZero() {
		return Unknown
	}
	return Since(t.Sub(f.Zero))
}

// Took is how long a step lasted.
func Took(s database.StepRow) string {
	switch {
	case s.StartedAt.IsZero() || s.FinishedAt.IsZero():
		return "–"
	default:
		return strings.TrimPrefix(Since(s.FinishedAt.Sub(s.StartedAt)), "T+")
	}
}

// Who is the person of an attempt: the name that the signed decision carries, and the id.
func Who(a database.Attempt) string {
	if d, ok := decision(a); ok && d.Name != "" && d.Name != a.Person {
		return d.Name + " (" + a.Person + ")"
	}
	if a.Person == "" {
		return "unknown person"
	}
	return a.Person
}

// Result is accepted or refused.
func Result(a database.Attempt) string {
	if a.Accepted {
		return "accepted"
	}
	return "refused"
}

// WhyOf is the refusal, the reason that the person gave, or both.
func WhyOf(a database.Attempt) string {
	d, _ := decision(a)
	why := a.Why
	if !a.Accepted && a.Code != "" {
		why = words(a.Code+":", a.Why)
	}
	if d.Reason == "" {
		return why
	}
	return words(why, fmt.Sprintf("reason: %q", d.Reason))
}

func decision(a database.Attempt) (d signoff.Decision, ok bool) {
	if len(a.Decision) == 0 {
		return d, false
	}
	return d, json.Unmarshal(a.Decision, &d) == nil
}

// Counted is a number with its word.
func Counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
