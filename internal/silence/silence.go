package silence

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Longest is how long a silence may last: what has to be hidden longer is a matter for the detector or the playbook.
const Longest = 30 * 24 * time.Hour

// Rules say what may be hidden.
type Rules struct {
	Critical     func(incident.Clue) bool // may the alert be about a critical key?
	CriticalKeys bool                     // policy: hide those too
}

// Check refuses a silence that nobody could account for. Every fault is a sentence.
func Check(s database.Silence, now time.Time) error {
	var faults []error
	if strings.TrimSpace(s.Owner) == "" {
		faults = append(faults, errors.New("a silence needs an owner"))
	}
	if len(strings.TrimSpace(s.Reason)) < 3 || len(s.Reason) > 500 {
		faults = append(faults, errors.New("a silence needs a reason of 3 to 500 bytes: the next reader will ask"))
	}
	switch {
	case s.Until.IsZero():
		faults = append(faults, errors.New("a silence needs an end"))
	case !s.Until.After(now) || !s.Until.After(s.From):
		faults = append(faults, errors.New("a silence ends in the future, and after it begins"))
	case s.Until.Sub(later(s.From, now)) > Longest:
		faults = append(faults, fmt.Errorf("a silence lasts at most %d days", int(Longest.Hours()/24)))
	}
	if _, err := playbooks.CompileExpr(s.If, playbooks.AlertShape()); err != nil {
		faults = append(faults, fmt.Errorf("if: %w", err))
	}
	return errors.Join(faults...)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Hides reports whether one silence hides an alert; spared says why it does not although its condition fits.
func (r Rules) Hides(s database.Silence, a incident.Alert, env map[string]any) (hides bool, spared string) {
	if a.ReceivedAt.Before(s.From) || !a.ReceivedAt.Before(s.Until) || a.Kind == incident.KindResolved || a.Kind == incident.KindUnread {
		return false, ""
	}
	fits, err := playbooks.Eval(s.If, env, a.ReceivedAt)
	if err != nil || fits != true { // a condition that cannot be evaluated hides nothing
		return false, ""
	}
	if !r.CriticalKeys && r.Critical != nil && r.Critical(a.Key) {
		return false, "silence " + s.ID + " does not hide it: it may be about a critical key"
	}
	return true, ""
}

// Note is what is written on an alert that was hidden.
func Note(s database.Silence) string {
	return fmt.Sprintf("hidden by silence %s of %s until %s: %s", s.ID, s.Owner, s.Until.UTC().Format(time.RFC3339), s.Reason)
}
