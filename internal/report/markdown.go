package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// Markdown tells a run to people. Text from outside stands in code spans and fences that it cannot leave, so that it is
// never markup, a link or a mention.
func Markdown(ctx context.Context, db *database.DB, run string) ([]byte, error) {
	f, err := Load(ctx, db, run)
	if err != nil {
		return nil, err
	}
	return f.Markdown(), nil
}

// watermark stands on everything that a drill leaves behind.
const watermark = "DRILL. Nothing in this report happened to a real key."

type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { _, _ = fmt.Fprintf(p, format+"\n", args...) }

// Markdown tells the facts.
func (f *Facts) Markdown() []byte {
	p := &page{}
	f.mdHead(p)
	f.mdSummary(p)
	f.mdReported(p)
	f.mdMarks(p)
	f.mdIndicators(p)
	f.mdImpact(p)
	f.mdForce(p)
	f.mdDeeds(p)
	f.mdSteps(p)
	f.mdSignoffs(p)
	f.mdQuestions(p)
	f.mdEvidence(p)
	f.mdReview(p)
	f.mdTimeline(p)
	p.line("\n## Playbook\n\n%s, digest %s\n\n%s", code(f.Run.Playbook), code(f.Run.Digest), fence("yaml", f.Run.Source))
	return Neutral([]byte(p.String()))
}

func (f *Facts) mdHead(p *page) {
	p.line("# Incident report: %s\n", code(f.Run.ID))
	if f.Drill {
		p.line("**%s**\n", watermark)
	}
	p.line("| | |\n|---|---|")
	p.line("| Outcome | **%s** |", f.Outcome())
	p.line("| Incident | %s, run %d |", cell(f.Run.Incident), f.Run.Number)
	p.line("| Key | %s |", cell(f.KeyWords()))
	p.line("| Playbook | %s |", cell(f.Run.Playbook))
	p.line("| Mode | %s, %s |", cell(f.Run.Mode), cell(f.Run.World))
	p.line("| Started | %s by %s |", Stamp(f.Run.StartedAt), cell(f.StartedBy()))
	p.line("| Ended | %s |", Stamp(f.Run.FinishedAt))
	p.line("| Ledger | %s |", cell(f.LedgerWords()))
}

// mdReported is what the alerts said, in their own words.
func (f *Facts) mdReported(p *page) {
	p.line("\n## What was reported")
	if len(f.Alerts) == 0 {
		p.line("\nNo alert: the run was started by hand.")
	}
	for _, a := range f.Alerts {
		p.line("\n%s, %s, severity %s, %s:\n\n%s", Stamp(a.Alert.ReceivedAt), code(a.Alert.Source), code(a.Alert.Severity), code(a.Alert.Kind), fence("", a.Alert.Title))
	}
	if f.Alarm != nil {
		p.line("\n## What the watch saw\n\n%s", fence("", f.Alarm.Why))
	}
}

func (f *Facts) mdMarks(p *page) {
	p.line("\n## Marks and money\n\n| mark | UTC | since the alert | how it is found |\n|---|---|---|---|")
	for _, m := range f.Marks {
		p.line("| %s | %s | %s | %s |", m.Title, Stamp(m.At), f.SinceAlert(m.At), m.Formula)
	}
	p.line("\n| money | amount | basis | how it is found |\n|---|---|---|---|")
	for _, m := range f.Money {
		p.line("| %s | %s | %s | %s |", m.Title, m.Text, cell(m.Basis), m.Formula)
	}
}

func (f *Facts) mdForce(p *page) {
	p.line("\n## Still in force\n")
	if len(f.InForce) == 0 {
		p.line("Nothing that this run did is waiting to be taken back.")
	}
	for _, u := range f.InForce {
		p.line("- %s on %s since %s; taken back by %s", code(u.Step), code(u.Target), Stamp(u.At), code(u.Action))
	}
	for _, u := range f.Undone {
		p.line("- taken back at %s: %s on %s", Stamp(u.UndoneAt), code(u.Step), code(u.Target))
	}
	for _, u := range f.Used {
		p.line("- not to be taken back: %s made %s, which is used by %s", code(u.Step), code(u.Target), code(strings.Join(u.UsedBy, ", ")))
	}
}

func (f *Facts) mdSteps(p *page) {
	p.line("\n## Steps\n\n| step | action | effect | status | began | took |\n|---|---|---|---|---|---|")
	for _, s := range f.Steps {
		p.line("| %s | %s | %s | %s | %s | %s |", cell(s.Path), cell(s.Action), cell(s.Effect), cell(s.Status), f.SinceAlert(s.StartedAt), Took(s))
	}
	for _, s := range f.Steps {
		if s.Error != "" {
			p.line("\n%s: %s\n\n%s", code(s.Path), s.Status, fence("", s.Error))
		}
	}
}

func (f *Facts) mdSignoffs(p *page) {
	p.line("\n## Sign-offs")
	if len(f.Signoffs) == 0 {
		p.line("\nNobody was asked to sign anything off.")
	}
	for _, s := range f.Signoffs {
		v := s.View
		p.line("\n### %s: %s\n", code(v.Request), code(v.Title))
		p.line("State **%s**, %d of %d seats, check code %s, digest %s, %s to %s.\n", v.State, v.Filled, v.Seats, code(v.Code), code(v.Digest), Stamp(v.Envelope.Issued), Stamp(v.Envelope.Expires))
		p.line("Who may: %s. Who may not: %s.\n", code(v.Who), code(orNobody(v.WhoNot)))
		p.line("%s\n", fence("", v.Why))
		for _, c := range v.Envelope.Calls {
			p.line("- planned: %s (%s) on %s, undo: %s", code(c.Action), c.Effect, code(c.Target), code(orNone(c.Undo)))
		}
		for _, r := range s.Receipts {
			p.line("- executed: %s on %s, %s: **%s** %s", code(r.Action), code(r.Target), r.State, r.Verdict, code(r.Summary))
		}
		p.mdAttempts(s.Attempts)
	}
}

func (p *page) mdAttempts(list []database.Attempt) {
	p.line("\nEvery attempt, accepted or refused:\n\n| UTC | who | verb | surface | result | why |\n|---|---|---|---|---|---|")
	for _, a := range list {
		p.line("| %s | %s | %s | %s | **%s** | %s |", Stamp(a.At), cell(Who(a)), cell(a.Verb), cell(a.Surface), Result(a), cell(WhyOf(a)))
	}
	if len(list) == 0 {
		p.line("| | nobody tried | | | | |")
	}
}

func (f *Facts) mdQuestions(p *page) {
	for _, q := range f.Questions {
		p.line("\n### Question %s to %s\n\n%s\n", code(q.ID), code(q.From), fence("", q.Prompt))
		p.line("Answer: %s by %s at %s.", code(q.Answer), code(q.By), Stamp(q.At))
		p.mdAttempts(q.Attempts)
	}
}

func (f *Facts) mdEvidence(p *page) {
	p.line("\n## Evidence\n\n| name | from | step | bytes | digest |\n|---|---|---|---|---|")
	for _, e := range f.Evidence {
		p.line("| %s | %s | %s | %d | %s |", cell(e.Name), cell(e.Source), cell(e.Step), e.Size, cell(e.Digest))
	}
	for _, a := range f.Alerts {
		p.line("| finding %s | %s | | | %s |", cell(a.Alert.ID), cell(a.Alert.Source), cell(a.Alert.FindingDigest))
	}
}

func (f *Facts) mdTimeline(p *page) {
	p.line("\n## Timeline\n\n%d ledger entries.\n\n| # | UTC | since the alert | lane | actor | what |\n|---|---|---|---|---|---|", len(f.Timeline))
	for _, m := range f.Timeline {
		p.line("| %d | %s | %s | %s | %s | %s |", m.Seq, Stamp(m.At), m.Since, m.Lane, cell(m.Actor), cell(m.Say))
	}
}

// code is a code span that its content cannot leave, on one line.
func code(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "–"
	}
	ticks := strings.Repeat("`", longest(s, '`')+1)
	return ticks + " " + s + " " + ticks
}

// cell is code for a table, where a bar would open the next column even inside a span.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// fence is a block that its content cannot close.
func fence(lang, s string) string {
	ticks := strings.Repeat("`", max(3, longest(s, '`')+1))
	return ticks + lang + "\n" + strings.ReplaceAll(s, "\r\n", "\n") + "\n" + ticks
}

func longest(s string, of rune) (most int) {
	n := 0
	for _, r := range s {
		if r != of {
			n = 0
			continue
		}
		n++
		most = max(most, n)
	}
	return most
}

func orNobody(s string) string {
	if s == "" {
		return "nobody is excluded"
	}
	return s
}

func orNone(s string) string {
	if s == "" {
		return "none, this is final"
	}
	return s
}
