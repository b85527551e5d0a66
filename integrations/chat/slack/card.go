package slack

import (
	"fmt"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Room of each part of the card, in characters. Together they stay under what Slack takes for one message.
const (
	roomTarget = 200
	roomWhy    = 1100
	roomLine   = 220
	roomWords  = 300
	roomAlarm  = 500
	mostCalls  = 8
	mostLines  = 6
	mostChange = 5
)

// mostSigned is the longest plan that Slack decides; longer ones are decided in the console.
const mostSigned = 100

// Card draws the card of a sign-off from its stored view. It has buttons only while the request is open.
func Card(v signoff.View) []slackapi.Block {
	blocks := []slackapi.Block{cardHeader(v), footnote(seats(v))}
	blocks = append(blocks, cardWhat(v), cardWhy(v))
	blocks = append(blocks, alarmBlocks(v.Alarm)...)
	if b := cardImpact(v); b != nil {
		blocks = append(blocks, b)
	}
	if b := cardChange(v); b != nil {
		blocks = append(blocks, b)
	}
	blocks = append(blocks, cardBurn(v), cardWho(v))
	if len(v.Decided) > 0 || len(v.Refused) > 0 {
		blocks = append(blocks, cardDecided(v))
	}
	if v.State == signoff.StateOpen {
		blocks = append(blocks, cardDeadline(v), slackapi.NewDividerBlock(), cardButtons(v))
	} else {
		blocks = append(blocks, cardOutcome(v))
	}
	return append(blocks, cardFooter(v))
}

// world is what the card says first: a rehearsal must never be taken for the real thing, nor the other way round.
func world(v signoff.View) string {
	if v.Envelope.World == "drill" {
		return "DRILL"
	}
	return "PRODUCTION"
}

func cardHeader(v signoff.View) slackapi.Block {
	return slackapi.NewHeaderBlock(plain(cut(world(v)+" · "+line(v.Title), maxHeader)))
}

func seats(v signoff.View) string {
	return cut(fmt.Sprintf("%d of %d seats filled · %s · %s", v.Filled, v.Seats, stateWords(v.State), line(v.Place)), roomLine)
}

func stateWords(state string) string {
	switch state {
	case signoff.StateOpen:
		return "waiting for people"
	case signoff.StateQuorum:
		return "approved, about to run"
	case signoff.StateExecuting:
		return "approved, running"
	case signoff.StateDone:
		return "approved and done"
	case signoff.StateFailed:
		return "approved, ended with an error"
	case signoff.StateRejected, signoff.StateExpired, signoff.StateCancelled:
		return state
	case signoff.StateVoided:
		return "voided: the target or the policy changed"
	case signoff.StateLapsed:
		return "lapsed: approved, but not used in time"
	}
	return "not open"
}

// consoleOnly tells plans that are too long to be read in Slack.
func consoleOnly(v signoff.View) bool {
	if len(v.Envelope.Calls) > mostSigned {
		return true
	}
	bytes := 0
	for _, p := range reviewParts(v) {
		bytes += len(p.words)
	}
	// A character has at most four bytes: what is longer than this needs no drawing to be too long.
	return bytes > 4*mostPages*roomPage || len(reviewPages(v)) > mostPages
}

func cardButtons(v signoff.View) slackapi.Block {
	reject := slackapi.NewButtonBlockElement("tourniquet_reject_form",
		route{Request: v.Request, Digest: v.Digest, Verb: verbRejectForm}.String(), plain("Reject…")).WithStyle(slackapi.StyleDanger)
	if consoleOnly(v) {
		return slackapi.NewActionBlock("", reject)
	}
	review := slackapi.NewButtonBlockElement("tourniquet_review",
		route{Request: v.Request, Digest: v.Digest, Verb: verbReview}.String(), plain("Review and approve…")).WithStyle(slackapi.StylePrimary)
	return slackapi.NewActionBlock("", review, reject)
}

// cardFooter names the request the same way on every surface, and the way that works when Slack does not.
func cardFooter(v signoff.View) slackapi.Block {
	book := cut(line(v.Envelope.Playbook), 80)
	if v.Envelope.PlaybookHash != "" {
		book += "@" + short(v.Envelope.PlaybookHash)
	}
	lines := []string{
		cut(fmt.Sprintf("%s · %s · %s", line(v.Envelope.Incident), book, line(v.Place)), 300),
		cut(fmt.Sprintf("request %s · check code %s", line(v.Request), line(v.Code)), 300),
	}
	if v.State == signoff.StateOpen {
		lines = append(lines, cut(fmt.Sprintf("or: tourniquet signoff approve %s --code %s", line(v.Request), line(v.Code)), 300))
	}
	return footnote(lines...)
}

func short(digest string) string {
	digest = line(digest)
	for i := 0; i < len(digest); i++ {
		if digest[i] == ':' {
			digest = digest[i+1:]
			break
		}
	}
	if runes := []rune(digest); len(runes) > 12 {
		return string(runes[:12])
	}
	return digest
}
