package slack

import (
	"fmt"
	"sort"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Room in the review. Nothing in it is ever cut: what does not fit goes to the next page.
const (
	roomPiece = 2400
	roomPage  = 11000
	mostPages = 30
	mostParts = 80 // on one page: Slack takes 100 blocks
)

// Review draws one page of the review modal, from the stored view alone. Submit is offered on the last page only,
// and pages are turned one after the other, so that every page was open before somebody approves.
func Review(v signoff.View, d chat.Delivery, page int) slackapi.ModalViewRequest {
	pages := reviewPages(v)
	page = max(0, min(page, len(pages)-1))
	at := route{Request: v.Request, Digest: v.Digest, Verb: verbApprove, Channel: d.Channel, TS: d.TS, Page: page}
	blocks := []slackapi.Block{cardHeader(v)}
	if len(pages) > 1 {
		blocks = append(blocks, footnote(fmt.Sprintf("page %d of %d; the last page has the approve button", page+1, len(pages))))
	}
	for _, piece := range pages[page] {
		blocks = append(blocks, titled(piece.title, section(text(piece.words))))
	}
	modal := slackapi.ModalViewRequest{
		Type: slackapi.VTModal, Title: plain("Review and approve"), Close: plain("Cancel"),
		CallbackID: "tourniquet_approve", PrivateMetadata: at.String(),
	}
	if page == len(pages)-1 {
		modal.Submit = plain("Approve")
		blocks = append(blocks, slackapi.NewDividerBlock(), rich(section(bold("By pressing Approve you sign exactly this. "), text("Digest "), code(line(v.Digest)),
			text(", check code "), code(line(v.Code)))))
	} else {
		next := slackapi.NewButtonBlockElement("tourniquet_page", route{Request: v.Request, Digest: v.Digest, Verb: verbPage, Page: page + 1}.String(),
			plain(fmt.Sprintf("Next page (%d of %d)", page+2, len(pages)))).WithStyle(slackapi.StylePrimary)
		blocks = append(blocks, slackapi.NewActionBlock("", next))
	}
	modal.Blocks = slackapi.Blocks{BlockSet: blocks}
	return modal
}

// part is one titled paragraph of the review.
type part struct{ title, words string }

// reviewPages cuts the whole view into pages of parts.
func reviewPages(v signoff.View) [][]part {
	var pages [][]part
	var page []part
	left := roomPage
	for _, p := range reviewParts(v) {
		for _, words := range pieces(show(p.words), roomPiece) {
			if n := len([]rune(words)); (n > left || len(page) == mostParts) && len(page) > 0 {
				pages, page, left = append(pages, page), nil, roomPage
			}
			page = append(page, part{p.title, words})
			left -= len([]rune(words))
		}
	}
	return append(pages, page)
}

// reviewParts is the view in words.
func reviewParts(v signoff.View) []part {
	var parts []part
	for i, c := range v.Envelope.Calls {
		parts = append(parts, part{fmt.Sprintf("CALL %d OF %d", i+1, len(v.Envelope.Calls)), callText(c)})
	}
	if len(parts) == 0 {
		parts = append(parts, part{"WHAT", "This plan makes no calls."})
	}
	parts = append(parts, part{"WHY", orWords(v.Why, "The playbook's author gave no reason.")})
	if len(v.Impact) > 0 {
		parts = append(parts, part{"IMPACT", strings.Join(v.Impact, "\n")})
	}
	for _, c := range v.Changes {
		parts = append(parts, part{"CHANGE", fmt.Sprintf("%s\nbefore: %s\nafter: %s\nundo: %s", c.Target, c.Before, c.After, orWords(c.Undo, "none"))})
	}
	e := v.Envelope
	parts = append(parts,
		part{"BURN", strings.TrimSpace(orWords(v.Spent, "Spent so far: unknown.") + "\n" + v.Waiting)},
		part{"WHO", "May decide: " + v.Who + "\nMay not: " + orWords(v.WhoNot, "nobody is excluded")},
		part{"DEADLINE", fmt.Sprintf("%s\n%s%s\nFrom quorum to the first call: at most %s. From the first call to the last: at most %s.",
			e.Expires.UTC().Format("2006-01-02 15:04:05 UTC"), v.Otherwise, nextLines(v), seconds(e.UseWithin), seconds(e.Complete))})
	if len(e.Evidence) > 0 {
		parts = append(parts, part{"EVIDENCE", strings.Join(e.Evidence, "\n")})
	}
	return append(parts, part{"BOUND TO", fmt.Sprintf("incident %s\nrun %s, step %s, attempt %d\nplaybook %s@%s\npolicy %s\nrequest %s",
		e.Incident, e.Run, e.Step, e.Attempt, e.Playbook, e.PlaybookHash, orWords(e.PolicyHash, "not stated"), v.Request)})
}

func nextLines(v signoff.View) string {
	if len(v.Next) == 0 {
		return ""
	}
	return "\nnext: " + strings.Join(v.Next, "\nnext: ")
}

func seconds(s signoff.Seconds) string {
	words := (time.Duration(s) * time.Second).String()
	return strings.TrimSuffix(words, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(words, "m0s")]
}

func callText(c signoff.PlannedCall) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s\neffect: %s", c.Action, orNone(c.Target), effectWords(c))
	for _, name := range names(c.Inputs) {
		for _, line := range inputLines(name, c.Inputs[name]) {
			b.WriteString("\nwith " + line)
		}
	}
	for _, name := range names(c.State) {
		fmt.Fprintf(&b, "\nnow %s = %s", name, c.State[name])
	}
	fmt.Fprintf(&b, "\nafterwards: %s\nundo: %s", orWords(c.After, "not stated"), orWords(c.Undo, "none"))
	return b.String()
}

func names[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}
