package slack

import (
	stdctx "context"
	"fmt"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const lateLimit = 2 * time.Minute // of work that goes on after its acknowledgement

// interact takes one authenticated act, from either door, and returns what to acknowledge it with.
func (c *Chat) interact(ctx stdctx.Context, desk chat.Desk, act slackapi.InteractionCallback) any {
	began := time.Now()
	reply, repeated := c.repeats.once(actKey(act), func() any { return c.take(ctx, desk, act) })
	kind := "tap"
	if act.Type == slackapi.InteractionTypeViewSubmission {
		kind = "submit"
	}
	c.cfg.Meter.SlackAct(kind, repeated, time.Since(began))
	return reply
}

func (c *Chat) take(ctx stdctx.Context, desk chat.Desk, act slackapi.InteractionCallback) any {
	switch act.Type {
	case slackapi.InteractionTypeBlockActions:
		if len(act.ActionCallback.BlockActions) == 0 {
			return nil
		}
		return c.tapped(ctx, desk, act, act.ActionCallback.BlockActions[0])
	case slackapi.InteractionTypeViewSubmission:
		return c.submitted(ctx, desk, act)
	}
	return nil
}

// later runs work that must outlive the request which asked for it.
func (c *Chat) later(ctx stdctx.Context, do func(stdctx.Context)) <-chan struct{} {
	done := make(chan struct{})
	ctx, cancel := stdctx.WithTimeout(stdctx.WithoutCancel(ctx), lateLimit)
	c.late.Go(func() {
		defer close(done)
		defer cancel()
		do(ctx)
	})
	return done
}

// tapped takes a press of a button or a choice from a menu. Buttons of a card only open a modal; an answer to a
// question is handed to the desk, which records it, before Slack is told that it arrived.
func (c *Chat) tapped(ctx stdctx.Context, desk chat.Desk, act slackapi.InteractionCallback, tap *slackapi.BlockAction) any {
	from := chat.Delivery{Channel: act.Container.ChannelID, TS: act.Container.MessageTs}
	to := ear{from.Channel, act.User.ID, act.ResponseURL}
	at, err := tapRoute(tap)
	if err != nil {
		c.later(ctx, func(ctx stdctx.Context) { c.whisper(ctx, to, sentenceCase(err.Error())) })
		return nil
	}
	switch at.Verb {
	case verbReview, verbRejectForm:
		c.later(ctx, func(ctx stdctx.Context) { c.open(ctx, desk, act, at, to) })
	case verbPage:
		c.later(ctx, func(ctx stdctx.Context) { c.turn(ctx, desk, act, at) })
	case verbAnswer:
		c.answered(ctx, desk, to, chat.Press{User: act.User.ID, Request: at.Request, Verb: verbAnswer, Answer: at.Answer,
			Delivery: from, Trigger: act.TriggerID})
	default:
		c.later(ctx, func(ctx stdctx.Context) {
			c.whisper(ctx, to, "This button is not one of ours any more. Open the newest copy of the card.")
		})
	}
	return nil
}

func tapRoute(tap *slackapi.BlockAction) (route, error) {
	if tap.SelectedOption.Value != "" {
		at, err := readRoute(tap.BlockID)
		at.Answer = tap.SelectedOption.Value
		return at, err
	}
	return readRoute(tap.Value)
}

func (c *Chat) answered(ctx stdctx.Context, desk chat.Desk, to ear, p chat.Press) {
	recorded := make(chan struct{})
	c.later(ctx, func(ctx stdctx.Context) {
		words := c.sharedNow(ctx, to.channel)
		if words == "" {
			words, _ = desk.Press(ctx, p)
		}
		close(recorded)
		c.whisper(ctx, to, words)
	})
	timer := time.NewTimer(decideWithin)
	defer timer.Stop()
	select {
	case <-recorded:
	case <-timer.C: // the words that follow tell whether it counts
	}
}

// open shows the review or the rejection form, drawn from the stored view.
func (c *Chat) open(ctx stdctx.Context, desk chat.Desk, act slackapi.InteractionCallback, at route, to ear) {
	from := chat.Delivery{Channel: act.Container.ChannelID, TS: act.Container.MessageTs}
	view, err := desk.View(ctx, at.Request, act.User.ID)
	why := ""
	switch {
	case err != nil:
		why = "This request cannot be shown now: " + err.Error()
	case view.Digest != at.Digest:
		why = "This card is out of date: the plan has changed since it was posted. Use the newest copy."
	case view.State != signoff.StateOpen && view.State != signoff.StateQuorum:
		why = fmt.Sprintf("This request is closed: %s. Nobody can decide it any more.", stateWords(view.State))
	case at.Verb == verbReview && consoleOnly(view):
		why = "This plan is too long for Slack. Approve it in the console, where all of it can be read."
	default:
		why = c.sharedNow(ctx, from.Channel)
	}
	if why != "" {
		c.whisper(ctx, to, why)
		return
	}
	modal := Review(view, from, 0)
	if at.Verb == verbRejectForm {
		modal = RejectForm(view, from)
	}
	if err := viewFits(modal); err != nil {
		c.whisper(ctx, to, "This request does not fit into Slack; decide it in the console: "+err.Error())
		return
	}
	err = c.call(ctx, "open the review", func(ctx stdctx.Context) error {
		_, err := c.api.OpenViewContext(ctx, act.TriggerID, modal)
		return err
	})
	if err != nil {
		c.whisper(ctx, to, err.Error())
	}
}

// turn shows the next page of a review. The modal itself says which page it shows, so none can be jumped over.
func (c *Chat) turn(ctx stdctx.Context, desk chat.Desk, act slackapi.InteractionCallback, at route) {
	shown, err := readRoute(act.View.PrivateMetadata)
	if err != nil || shown.Request != at.Request || shown.Digest != at.Digest || at.Page != shown.Page+1 {
		return // an old copy of this page was tapped twice: the newer page is open already
	}
	view, err := desk.View(ctx, shown.Request, act.User.ID)
	if err != nil || view.Digest != shown.Digest {
		c.replace(ctx, act.View.ID, answerModal("Out of date", "The plan has changed or cannot be shown any more. Close this and use the newest copy of the card."))
		return
	}
	modal := Review(view, shown.delivery(), at.Page)
	if err := c.updateView(ctx, act.View.ID, act.View.Hash, modal); err != nil {
		c.whisper(ctx, ear{channel: shown.Channel, user: act.User.ID}, err.Error())
	}
}

func (c *Chat) command(ctx stdctx.Context, desk chat.Desk, cmd slackapi.SlashCommand) any {
	began := time.Now()
	defer func() { c.cfg.Meter.SlackAct("command", false, time.Since(began)) }()
	words := make(chan string, 1)
	done := c.later(ctx, func(ctx stdctx.Context) {
		if !c.answersIn(ctx, desk, cmd.ChannelID) {
			words <- "Here I say nothing. Use the responders' channel or a direct message with me."
			return
		}
		words <- desk.Command(ctx, cmd.UserID, cmd.Text)
	})
	timer := time.NewTimer(ackWithin)
	defer timer.Stop()
	select {
	case <-done:
		return private(<-words)
	case <-timer.C:
		c.later(ctx, func(ctx stdctx.Context) {
			select {
			case said := <-words:
				c.whisper(ctx, ear{cmd.ChannelID, cmd.UserID, cmd.ResponseURL}, said)
			case <-ctx.Done():
			}
		})
		return private("Still working on it; the answer follows here.")
	}
}

func private(words string) any {
	return map[string]any{"response_type": "ephemeral", "text": "Answer from Tourniquet", "blocks": wordsBlocks(words)}
}

func sentenceCase(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
