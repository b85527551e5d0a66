package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Lanes of the timeline.
const (
	LaneSystem   = "system"
	LanePeople   = "people"
	LaneProvider = "provider"
)

// Moment is one entry of the ledger in words.
type Moment struct {
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Since string    `json:"since"` // T+, from the first alert
	Lane  string    `json:"lane"`
	Kind  string    `json:"kind"`
	Actor string    `json:"actor"`
	Step  string    `json:"step,omitempty"`
	Say   string    `json:"say"`
	Bad   bool      `json:"bad,omitempty"` // a refusal, a failure, something undelivered
	Body  string    `json:"body,omitempty"`
	Hash  string    `json:"hash"`
}

// said is what the bodies of entries may hold; each kind fills some of it.
type said struct {
	Action, Effect, Summary, Error, Why, Outcome, Request, State, Answer, By, Question, Person, Verb, Surface, Code, Playbook, Mode, To string
	Count                                                                                                                               int
	Text, Owner, Ticket, Title, What, From                                                                                              string
	Reason                                                                                                                              string
	Already, Accepted                                                                                                                   bool
	Decision                                                                                                                            *signoff.Decision
	Calls                                                                                                                               []string
}

func (f *Facts) timeline() []Moment {
	out := make([]Moment, 0, len(f.Ledger))
	for _, row := range f.Ledger {
		var b said
		_ = json.Unmarshal(row.Body, &b) // an entry in another shape still shows its body
		out = append(out, Moment{
			Seq: row.Seq, At: row.At, Since: Since(row.At.Sub(f.Zero)), Lane: lane(row, b), Kind: row.Kind, Actor: row.Actor,
			Step: row.Step, Say: sentence(row, b), Bad: bad(row, b), Body: pretty(row.Body), Hash: row.Hash,
		})
	}
	return out
}

func lane(row database.LedgerRow, b said) string {
	switch {
	case strings.HasPrefix(row.Kind, "review."), row.Kind == "run.note", row.Kind == database.KindAttempt, row.Kind == "question.settled" && !strings.HasPrefix(b.By, "nobody"):
		return LanePeople
	case b.Effect == signoff.EffectUndoable, b.Effect == signoff.EffectFinal:
		return LaneProvider
	}
	return LaneSystem
}

func bad(row database.LedgerRow, b said) bool {
	switch row.Kind {
	case "step.failed", "step.parked", "step.declined", "grant.refused", "signoff.undelivered", "signoff.voided", "signoff.rejected",
		"signoff.expired", "signoff.lapsed", "call.outcome_unknown", "run.reset_refused", KindNotPosted:
		return true
	case database.KindAttempt:
		return !b.Accepted
	}
	return false
}

// sentence tells an entry. A kind that it does not know is told by its name and what the body says.
func sentence(row database.LedgerRow, b said) string {
	switch row.Kind {
	case database.KindAttempt:
		return attempt(b)
	case "run.started":
		return words("Run started with", b.Playbook, "in mode", b.Mode)
	case "alert.started":
		return words("Alert of", row.Actor+":", b.Title)
	case "alert.joined":
		return words("Alert of", row.Actor, "joined:", b.Title)
	case "alerts.gathered":
		return words(fmt.Sprintf("%d alerts joined at once, the first of", b.Count), row.Actor+":", b.Title)
	case "run.raised":
		return words("A later alert raised", b.What, "from", b.From, "to", b.To)
	case "run.outcome":
		return words("Outcome:", b.Outcome, b.Why)
	case "run.closed":
		return words("Run closed as", b.Outcome, b.Why)
	case "signoff.asked":
		return words("Sign-off", b.Request, "was put to people")
	case "signoff.delivered":
		return "The sign-off reached chat"
	case "signoff.undelivered":
		return words("Chat did not take", b.Request, b.Why)
	case "signoff.settled":
		return words("Sign-off", b.Request, "is now", b.State, b.Why)
	case "signoff.escalated":
		return words("Sign-off", b.Request, "was escalated to", b.To)
	case "question.asked":
		return words("Question", b.Question, "was asked")
	case "question.settled":
		return words("Answer:", b.Answer, "by", b.By)
	case "grant.refused":
		return words("A call was refused by the grant check:", b.Why)
	case "observe.would":
		return words("Would do:", strings.Join(b.Calls, "; "))
	case KindExported:
		return words("Evidence was taken out by", row.Actor)
	case "ledger.erased":
		return "The body of an earlier entry was erased"
	}
	if text := afterwards(row, b); text != "" {
		return text
	}
	subject := b.Action
	if verb, ok := strings.CutPrefix(row.Kind, "step."); ok {
		if subject == "" {
			subject = row.Step
		}
		return words(subject, verb+mark(b.Summary+b.Error+b.Why), b.Summary, b.Error, b.Why)
	}
	return words(strings.ReplaceAll(strings.ReplaceAll(row.Kind, ".", " "), "_", " "), b.Request, b.Summary, b.Why)
}

// afterwards tells what people and the report added; empty for anything else.
func afterwards(row database.LedgerRow, b said) string {
	switch row.Kind {
	case "run.note":
		return words("Note by", row.Actor+":", b.Text)
	case "review.lesson":
		return words("Lesson by", row.Actor+":", b.Text)
	case "review.next_step":
		return words("Next step, owned by", b.Owner+":", b.Text)
	case "review.next_step_done":
		return words("A next step is done, says", row.Actor+".", b.Text)
	case KindPosted:
		return words("The report was posted", in("to ticket ", b.Ticket))
	case KindNotPosted:
		return words("The report was not posted", in("to ticket ", b.Ticket), b.Why)
	}
	return ""
}

func in(before, what string) string {
	if what == "" {
		return ""
	}
	return before + what
}

func mark(rest string) string {
	if rest == "" {
		return ""
	}
	return ":"
}

func attempt(b said) string {
	who, reason := b.Person, b.Reason
	if b.Decision != nil {
		if b.Decision.Name != "" {
			who = b.Decision.Name + " (" + b.Person + ")"
		}
		reason = b.Decision.Reason
	}
	if who == "" {
		who = "somebody unknown"
	}
	out := words(who, "tried to", b.Verb, b.Request, "through", b.Surface)
	if b.Accepted {
		out += ": accepted"
	} else {
		out += ": refused"
		if b.Why != "" {
			out += ", " + b.Why
		}
	}
	if reason != "" {
		out += fmt.Sprintf(" (reason: %q)", reason)
	}
	return out
}

func words(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

// pretty indents JSON for reading; what is not JSON stays as it is.
func pretty(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}

// Since writes a distance from the first alert: T+3.2s, T+4m12s, T+2h03m.
func Since(d time.Duration) string {
	sign := "T+"
	if d < 0 {
		sign, d = "T−", -d
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%s%.1fs", sign, d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%s%dm%02ds", sign, int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%s%dh%02dm", sign, int(d.Hours()), int(d.Minutes())%60)
	}
}

// Stamp writes a moment in UTC, or "unknown".
func Stamp(t time.Time) string {
	if t.IsZero() {
		return Unknown
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
