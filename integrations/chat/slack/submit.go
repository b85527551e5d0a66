package slack

import (
	stdctx "context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// decideWithin is how long Slack is left waiting for a decision, of its three seconds: once it is acknowledged Slack does not
// send it again, so it is written down first. It is written within milliseconds unless our own database is in trouble.
const decideWithin = 2500 * time.Millisecond

// submitted takes the submit of a modal: the only thing in Slack that decides. The desk records the attempt before
// it answers; if it needs longer than Slack waits, the modal says so and changes when the answer is there.
func (c *Chat) submitted(ctx stdctx.Context, desk chat.Desk, act slackapi.InteractionCallback) any {
	at, err := readRoute(act.View.PrivateMetadata)
	if err != nil || act.View.CallbackID != "tourniquet_"+at.Verb || (at.Verb != verbApprove && at.Verb != verbReject) {
		return slackapi.NewUpdateViewSubmissionResponse(answerModal("Not recorded", "This form does not say which request it belongs to. Open the newest copy of the card."))
	}
	press := chat.Press{User: act.User.ID, Request: at.Request, Verb: at.Verb, Digest: at.Digest, Delivery: at.delivery(), Trigger: act.TriggerID}
	if at.Verb == verbReject {
		if press.Reason = reason(act.View); press.Reason == "" {
			return slackapi.NewErrorsViewSubmissionResponse(map[string]string{reasonBlock: "A rejection needs a reason; write at least one word."})
		}
	}
	answered := make(chan *slackapi.ModalViewRequest, 1)
	c.later(ctx, func(ctx stdctx.Context) {
		words, accepted := desk.Press(ctx, press)
		answered <- verdict(words, accepted)
		c.whisper(ctx, ear{channel: at.Channel, user: act.User.ID}, words)
	})
	timer := time.NewTimer(decideWithin)
	defer timer.Stop()
	select {
	case modal := <-answered:
		return slackapi.NewUpdateViewSubmissionResponse(modal)
	case <-timer.C:
		c.later(ctx, func(ctx stdctx.Context) {
			select {
			case modal := <-answered:
				c.replace(ctx, act.View.ID, modal)
			case <-ctx.Done():
			}
		})
		return slackapi.NewUpdateViewSubmissionResponse(answerModal("Being recorded", "Your decision is still being recorded. It counts when you are told so, here and privately in the channel."))
	}
}

func verdict(words string, accepted bool) *slackapi.ModalViewRequest {
	if accepted {
		return answerModal("Recorded", words)
	}
	return answerModal("Not counted", words)
}

func reason(v slackapi.View) string {
	if v.State == nil {
		return ""
	}
	words := strings.TrimSpace(v.State.Values[reasonBlock][reasonAction].Value)
	if runes := []rune(words); len(runes) > mostReason {
		words = string(runes[:mostReason])
	}
	return words
}

func (c *Chat) updateView(ctx stdctx.Context, viewID, hash string, modal slackapi.ModalViewRequest) error {
	if err := viewFits(modal); err != nil {
		return err
	}
	return c.call(ctx, "change a modal", func(ctx stdctx.Context) error {
		_, err := c.api.UpdateViewContext(ctx, modal, "", hash, viewID)
		return err
	})
}

// replace changes an open modal. A person who has closed it is told by the private message instead.
func (c *Chat) replace(ctx stdctx.Context, viewID string, modal *slackapi.ModalViewRequest) {
	if err := c.updateView(ctx, viewID, "", *modal); err != nil {
		c.log.InfoContext(ctx, "an open modal could not be changed", "reason", err.Error())
	}
}

func viewFits(m slackapi.ModalViewRequest) error {
	if n := len([]rune(m.PrivateMetadata)); n > maxMetadata {
		return fmt.Errorf("the modal carries %d characters and Slack takes %d", n, maxMetadata)
	}
	if len([]rune(m.Title.Text)) > maxModalTitle {
		return fmt.Errorf("the title of a modal has more than %d characters", maxModalTitle)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a modal: %w", err)
	}
	if len(raw) > maxViewBytes {
		return fmt.Errorf("the modal has %d bytes and Slack takes %d", len(raw), maxViewBytes)
	}
	return fits(m.Blocks.BlockSet, maxModalBlocks)
}
