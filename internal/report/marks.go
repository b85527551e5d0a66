package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Names of actions by which marks are found.
const (
	contain  = "key.contain"
	revoke   = "key.revoke"
	probe    = "key.probe"
	snapshot = "usage.snapshot"
	scan     = "persistence.scan"
	done     = "done"
)

// Mark is one moment that counts. At is zero where the records do not hold it.
type Mark struct {
	Name    string    `json:"name"`
	Title   string    `json:"title"`
	At      time.Time `json:"at,omitzero"`
	Formula string    `json:"formula"`
}

// Known reports whether the records hold the moment.
func (m Mark) Known() bool { return !m.At.IsZero() }

// Figure is an amount of money, or "unknown".
type Figure struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Text    string `json:"text"`
	Basis   string `json:"basis,omitempty"`
	Formula string `json:"formula"`
}

// Unknown stands where the records hold nothing.
const Unknown = "unknown"

func (f *Facts) marks() []Mark {
	return []Mark{
		{"first_abuse", "First abuse", f.firstAbuse(), "earliest first_abuse that a usage snapshot of this run reports"},
		{"alert", "Alert", f.firstAlert(), "when the first alert of the incident was received"},
		{"first_action", "First action", f.firstAction(), "start of the first undoable or final call"},
		{"contained", "Contained", f.contained(), "contained_at of key.contain: the provider's confirmation"},
		{"decided", "Decided", f.decided(), "the approval that filled the last seat of the sign-off over key.revoke"},
		{"revoked", "Revoked", f.finished(revoke, nil), "end of the call key.revoke"},
		{"proven", "Proven", f.finished(probe, func(s database.StepRow) bool { return field(s.Outputs, "state") == "refused" }), "end of the key.probe that saw the provider refuse the key"},
	}
}

// Mark finds a mark by name.
func (f *Facts) Mark(name string) Mark {
	for _, m := range f.Marks {
		if m.Name == name {
			return m
		}
	}
	return Mark{}
}

func (f *Facts) firstAbuse() time.Time {
	var first time.Time
	for _, s := range f.Steps {
		if s.Action == snapshot {
			first = earlier(first, moment(field(s.Outputs, "first_abuse")))
		}
	}
	return first
}

func (f *Facts) firstAlert() time.Time {
	var first time.Time
	for _, a := range f.Alerts {
		first = earlier(first, a.Alert.ReceivedAt)
	}
	return first
}

func (f *Facts) firstAction() time.Time {
	var first time.Time
	for _, c := range f.Calls {
		first = earlier(first, c.StartedAt)
	}
	for _, s := range f.Steps {
		if s.Effect == signoff.EffectUndoable || s.Effect == signoff.EffectFinal {
			first = earlier(first, s.StartedAt)
		}
	}
	return first
}

func (f *Facts) contained() time.Time {
	for _, s := range f.Steps {
		if s.Action == contain && s.Status == done {
			if at := moment(field(s.Outputs, "contained_at")); !at.IsZero() {
				return at
			}
			return s.FinishedAt
		}
	}
	return time.Time{}
}

func (f *Facts) finished(action string, holds func(database.StepRow) bool) time.Time {
	for _, s := range f.Steps {
		if s.Action == action && s.Status == done && (holds == nil || holds(s)) {
			return s.FinishedAt
		}
	}
	return time.Time{}
}

func (f *Facts) decided() time.Time {
	for _, s := range f.Signoffs {
		for _, c := range s.View.Envelope.Calls {
			if c.Action == revoke && signoff.Quorum(s.View.Envelope.Rule, s.View.Decided) {
				return lastApproval(s.View.Decided)
			}
		}
	}
	return time.Time{}
}

func lastApproval(ds []signoff.Decision) time.Time {
	var last time.Time
	for _, d := range ds {
		if d.Verb == signoff.Approve && d.At.After(last) {
			last = d.At
		}
	}
	return last
}

// figures reads what usage snapshots said: the first one is nearest to the alert, the last one nearest to the end.
func (f *Facts) figures() []Figure {
	out := []Figure{
		{"first_seen", "Spent when first looked", Unknown, "", "cost_usd of the first usage snapshot of this run"},
		{"last_seen", "Spent when last looked", Unknown, "", "cost_usd of the last usage snapshot of this run"},
		{"abuse_calls", "Calls since the first abuse", Unknown, "", "abuse_requests of the last usage snapshot: all calls from first_abuse on, honest ones among them"},
		{"abuse_usd", "Cost since the first abuse", Unknown, "", "abuse_usd of the last usage snapshot: of the same calls"},
		{"avoided", "Burn avoided", Unknown, "", "cost since the first abuse, spread over the time from there to the containment or the last look (at least a minute), for the rest of 48 hours"},
	}
	for _, s := range f.Steps {
		if s.Action != snapshot {
			continue
		}
		basis, _ := field(s.Outputs, "cost_basis").(string)
		if cost, ok := field(s.Outputs, "cost_usd").(float64); ok {
			if out[0].Text == Unknown {
				out[0].Text, out[0].Basis = Dollars(cost), basis
			}
			out[1].Text, out[1].Basis = Dollars(cost), basis
		}
		if calls, ok := field(s.Outputs, "abuse_requests").(float64); ok {
			out[2].Text = fmt.Sprintf("%.0f", calls)
		}
		if cost, ok := field(s.Outputs, "abuse_usd").(float64); ok {
			out[3].Text, out[3].Basis = Dollars(cost), basis
		}
	}
	if usd, known := f.Avoided(); known {
		out[4].Text, out[4].Basis = Dollars(usd), "estimated from its own rate"
	}
	return out
}

// forecast is how long a theft that nobody stops is thought on for: the published case.
const forecast = 48 * time.Hour

// Avoided is what the rest of 48 hours would have cost at the rate of the abuse, had nobody contained the key. It is known
// where the key was contained and a snapshot tells both when the abuse began and what it cost.
func (f *Facts) Avoided() (usd float64, known bool) {
	contained, began := f.contained(), f.firstAbuse()
	if contained.IsZero() || began.IsZero() {
		return 0, false
	}
	for _, s := range slices.Backward(f.Steps) {
		cost, ok := field(s.Outputs, "abuse_usd").(float64)
		if s.Action != snapshot || !ok {
			continue
		}
		until := earlier(s.FinishedAt, contained) // what came after the measure was not spent by the thief
		if spent := max(until.Sub(began), time.Minute); spent < forecast {
			return cost / spent.Hours() * (forecast - spent).Hours(), true
		}
	}
	return 0, false
}

// Dollars groups thousands: $4,812.50.
func Dollars(v float64) string {
	whole, cents, _ := strings.Cut(fmt.Sprintf("%.2f", v), ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return "$" + whole + "." + cents
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// moment reads a time out of JSON.
func moment(v any) time.Time {
	s, ok := v.(string)
	if !ok {
		return time.Time{}
	}
	var t time.Time
	raw, err := json.Marshal(s)
	if err != nil || t.UnmarshalJSON(raw) != nil {
		return time.Time{}
	}
	return t.UTC()
}
