package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func funcs(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"stamp": report.Stamp, "took": report.Took, "who": report.Who, "result": report.Result, "why": report.WhyOf,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock":  func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"day":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04") },
		"away":   func(t time.Time) string { return away(now(), t) },
		"pretty": pretty, "short": short, "tone": tone, "plain": plain, "open": isOpen, "word": word, "count": report.Counted,
		"parts":  parts,
		"crop":   crop,
		"digest": func(q database.Question) string { return wire.QuestionDigest(asked(q)) },
	}
}

// asked is a question in the shape over which its digest is made.
func asked(q database.Question) wire.Question {
	return wire.Question{ID: q.ID, Prompt: q.Prompt, Choices: q.Choices}
}

// away says how far a moment is, roughly.
func away(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := t.Sub(now)
	if d < 0 {
		return rough(-d) + " ago"
	}
	return "in " + rough(d)
}

func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// pretty indents JSON, whether raw or a value, without hiding < and >.
func pretty(v any) string {
	var out bytes.Buffer
	if raw, ok := v.(json.RawMessage); ok {
		if json.Indent(&out, raw, "", "  ") != nil {
			return string(raw)
		}
		return out.String()
	}
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(out.String())
}

// short is the start of a digest; the whole one stands beside it in full where it counts.
func short(digest string) string {
	h := strings.TrimPrefix(digest, "sha256:")
	if len(h) <= 12 {
		return digest
	}
	return h[:12] + "…"
}

// tone is the colour class of a state, outcome, status or effect.
func tone(s string) string {
	switch s {
	case "done", "contained", "accepted", "approve":
		return "good"
	case "failed", "rejected", "expired", "voided", "lapsed", "refused", "parked", "declined", "damaged", "final", "reject", "cancelled":
		return "bad"
	case "open", "waiting", "quorum", "executing", "undoable", "stopped", "started", "high", "critical":
		return "warn"
	case "running":
		return "live"
	}
	return "calm"
}

func plain(s string) string { return strings.ReplaceAll(s, "_", " ") }

func isOpen(v signoff.View) bool { return v.State == signoff.StateOpen }

// word says who a seat wants.
func word(s signoff.Seat) string {
	switch {
	case s.Group != "":
		return fmt.Sprintf("%d of %s", s.Count, s.Group)
	case s.Person != "":
		return fmt.Sprintf("%s (%s)", s.Person, plain(s.Named))
	case s.Else != "":
		return fmt.Sprintf("%s, for which %s stands in", plain(s.Named), s.Else)
	}
	return plain(s.Named)
}

// maxShown is how much of one value a page shows; the bundle and the API have all of it.
const maxShown = 6_000

func crop(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + fmt.Sprintf("\n… %d bytes more; the API and the bundle hold all of it", len(s)-maxShown)
}

// parts hands several values to one template.
func parts(v ...any) []any { return v }
