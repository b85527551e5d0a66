package slack

import (
	"fmt"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func titled(title string, rest ...slackapi.RichTextElement) slackapi.Block {
	return rich(append([]slackapi.RichTextElement{section(bold(title))}, rest...)...)
}

// more is the last bullet of a list that was cut.
func more(n int) *slackapi.RichTextSection {
	return section(italic(fmt.Sprintf("%d more in the review", n)))
}

func cardWhat(v signoff.View) slackapi.Block {
	var items []*slackapi.RichTextSection
	calls := v.Envelope.Calls
	for i, c := range calls {
		if i == mostCalls {
			items = append(items, more(len(calls)-i))
			break
		}
		items = append(items, section(code(cut(line(c.Action), 80)), text(" "), bold(orNone(cut(line(c.Target), roomTarget))), text(" · "+effectWords(c))))
	}
	if len(items) == 0 {
		items = append(items, section(text("nothing")))
	}
	return titled("WHAT", list(slackapi.RTEListOrdered, items))
}

func orNone(s string) string {
	if s == "" {
		return "(no target)"
	}
	return s
}

func effectWords(c signoff.PlannedCall) string {
	words := cut(line(c.Effect), 30)
	if c.Effect == signoff.EffectFinal {
		words = "final, cannot be undone"
	}
	if c.Reach != "" && c.Reach != "key" {
		words += ", reaches the " + cut(line(c.Reach), 30)
	}
	return words
}

func cardWhy(v signoff.View) slackapi.Block {
	why := []element{text("The playbook's author gave no reason.")}
	if strings.TrimSpace(v.Why) != "" {
		why = []element{text(cut(fewLines(show(v.Why)), roomWhy)), italic(" (the playbook's words)")}
	}
	parts := []slackapi.RichTextElement{section(why...)}
	var extra []element
	if v.Link != "" {
		extra = append(extra, link(v.Link, "Open the run and its evidence"))
	}
	if n := len(v.Envelope.Evidence); n > 0 {
		if len(extra) > 0 {
			extra = append(extra, text(" · "))
		}
		var digests []string
		for _, d := range v.Envelope.Evidence[:min(n, 3)] {
			digests = append(digests, short(d))
		}
		extra = append(extra, text("evidence "), code(strings.Join(digests, " ")))
		if n > 3 {
			extra = append(extra, text(fmt.Sprintf(" and %d more", n-3)))
		}
	}
	if len(extra) > 0 {
		parts = append(parts, section(extra...))
	}
	return titled("WHY", parts...)
}

// fewLines keeps the first lines: words of an alert must not push the buttons off the screen.
func fewLines(s string) string {
	const most = 8
	all := strings.Split(s, "\n")
	if len(all) <= most {
		return s
	}
	return strings.Join(all[:most], "\n") + fmt.Sprintf("\n… (%d more lines in the review)", len(all)-most)
}

func orWords(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return s
}

func cardImpact(v signoff.View) slackapi.Block {
	if len(v.Impact) == 0 {
		return nil
	}
	return titled("IMPACT", bullets(lines(v.Impact)))
}

func lines(all []string) []*slackapi.RichTextSection {
	var items []*slackapi.RichTextSection
	for i, l := range all {
		if i == mostLines {
			return append(items, more(len(all)-i))
		}
		items = append(items, section(text(cut(line(l), roomLine))))
	}
	return items
}

func cardChange(v signoff.View) slackapi.Block {
	if len(v.Changes) == 0 {
		return nil
	}
	var items []*slackapi.RichTextSection
	for i, c := range v.Changes {
		if i == mostChange {
			items = append(items, more(len(v.Changes)-i))
			break
		}
		undo := "cannot be undone"
		if c.Undo != "" {
			undo = "undo: " + cut(line(c.Undo), 90)
		}
		items = append(items, section(text(cut(line(c.Target), 120)+": "), code(cut(line(c.Before), 90)), text(" → "),
			code(cut(line(c.After), 90)), text(" · "+undo)))
	}
	return titled("CHANGE", bullets(items))
}

func cardBurn(v signoff.View) slackapi.Block {
	items := []*slackapi.RichTextSection{section(text(cut(line(orWords(v.Spent, "spent so far: unknown")), roomWords)))}
	if v.Waiting != "" {
		items = append(items, section(text(cut(line(v.Waiting), roomWords))))
	}
	return titled("BURN", bullets(items))
}

func cardWho(v signoff.View) slackapi.Block {
	items := []*slackapi.RichTextSection{section(text("May decide: "), bold(cut(line(orWords(v.Who, "nobody named")), roomWords)))}
	if v.WhoNot != "" {
		items = append(items, section(text("May not: "+cut(line(v.WhoNot), roomWords))))
	}
	return titled("WHO", bullets(items))
}

func cardDeadline(v signoff.View) slackapi.Block {
	when := append([]element{text("Expires ")}, moment(v.Envelope.Expires)...)
	items := []*slackapi.RichTextSection{section(when...)}
	if v.Otherwise != "" {
		items = append(items, section(text("If nobody decides: "+cut(line(v.Otherwise), roomWords))))
	}
	for i, n := range v.Next {
		if i == mostLines {
			items = append(items, more(len(v.Next)-i))
			break
		}
		items = append(items, section(text("Next, "+cut(line(n), roomLine))))
	}
	parts := []slackapi.RichTextElement{bullets(items)}
	if consoleOnly(v) {
		where := []element{bold("This plan is too long for Slack: approve it in the console, where all of it can be read. ")}
		if v.Link != "" {
			where = append(where, link(v.Link, "Open it there"))
		}
		parts = append(parts, section(where...))
	}
	return titled("DEADLINE", parts...)
}

func cardDecided(v signoff.View) slackapi.Block {
	var items []*slackapi.RichTextSection
	for i, d := range v.Decided {
		if i == mostLines {
			items = append(items, more(len(v.Decided)-i))
			break
		}
		words := fmt.Sprintf(" %s at %s by %s", decidedWord(d.Verb), d.At.UTC().Format("15:04:05 UTC"), cut(line(d.Surface), 20))
		if d.Reason != "" {
			words += ": " + cut(line(d.Reason), 120)
		}
		items = append(items, section(bold(cut(line(orWords(d.Name, d.Person)), 60)), text(words)))
	}
	if len(v.Refused) > 0 {
		const last = 3 // the newest refusals are the ones that people look for
		items = append(items, lines(v.Refused[max(0, len(v.Refused)-last):])...)
	}
	return titled("DECISIONS", bullets(items))
}

func decidedWord(verb string) string {
	switch verb {
	case signoff.Approve:
		return "approved"
	case signoff.Reject:
		return "rejected"
	}
	return "answered"
}

func cardOutcome(v signoff.View) slackapi.Block {
	words := fmt.Sprintf("This request is closed: %s. %d of %d seats were filled. Nobody can decide it any more.", stateWords(v.State), v.Filled, v.Seats)
	if v.State == signoff.StateQuorum {
		words = "All seats are filled. Until the first call, whoever may decide can still reject, in the console or with: tourniquet signoff reject"
	}
	parts := []slackapi.RichTextElement{section(text(cut(words, roomWords)))}
	if closedBadly(v.State) && strings.TrimSpace(v.Otherwise) != "" {
		parts = append(parts, section(text(cut(show(v.Otherwise), roomWords))))
	}
	return titled("OUTCOME", parts...)
}

// closedBadly tells the states of which people want to know why.
func closedBadly(state string) bool {
	switch state {
	case signoff.StateRejected, signoff.StateExpired, signoff.StateVoided, signoff.StateLapsed, signoff.StateCancelled, signoff.StateFailed:
		return true
	}
	return false
}

// cardProgress is what a thread says about a decision that does not yet close the request.
func cardProgress(v signoff.View) slackapi.Block {
	return titled("PROGRESS", section(text(cut(fmt.Sprintf("%d of %d seats are filled; the card above still waits for people.", v.Filled, v.Seats), roomWords))))
}
