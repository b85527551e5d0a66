package slack

import (
	stdctx "context"
	"fmt"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// message is one thing to post or to change. fallback is shown in notifications, where Slack reads markup: it holds
// words of ours only.
type message struct {
	channel  string
	thread   string
	fallback string
	blocks   []slackapi.Block
	kind     string // metadata event type
	request  string
}

func (m message) options() ([]slackapi.MsgOption, error) {
	if err := fits(m.blocks, maxBlocks); err != nil {
		return nil, err
	}
	options := []slackapi.MsgOption{slackapi.MsgOptionText(m.fallback, true), slackapi.MsgOptionBlocks(m.blocks...)}
	if m.kind != "" {
		options = append(options, slackapi.MsgOptionMetadata(slackapi.SlackMetadata{
			EventType: m.kind, EventPayload: map[string]any{"request": m.request},
		}))
	}
	if m.thread != "" {
		options = append(options, slackapi.MsgOptionTS(m.thread))
	}
	return options, nil
}

func (c *Chat) post(ctx stdctx.Context, m message) (chat.Delivery, error) {
	d, err := c.postOnce(ctx, m)
	if err != nil {
		return c.unpictured(ctx, m, pictureWaits, err, func(m message) (chat.Delivery, error) { return c.postOnce(ctx, m) })
	}
	return d, nil
}

func (c *Chat) postOnce(ctx stdctx.Context, m message) (chat.Delivery, error) {
	options, err := m.options()
	if err != nil {
		return chat.Delivery{}, err
	}
	// Only a new message can be unfurled: an edit has no such arguments.
	options = append(options, slackapi.MsgOptionDisableMarkdown(), slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl())
	var d chat.Delivery
	err = c.call(ctx, "post a message", func(ctx stdctx.Context) (err error) {
		d.Channel, d.TS, err = c.api.PostMessageContext(ctx, m.channel, options...)
		return err
	})
	if err != nil {
		return chat.Delivery{}, err
	}
	return d, nil
}

// update changes a message. One that was deleted or can no longer be changed is posted again, for a card must show how
// things stand; the answer says where it is now.
func (c *Chat) update(ctx stdctx.Context, d chat.Delivery, m message) (chat.Delivery, error) {
	err := c.updateOnce(ctx, d, m)
	if err != nil {
		_, err = c.unpictured(ctx, m, nil, err, func(m message) (chat.Delivery, error) { return d, c.updateOnce(ctx, d, m) })
	}
	for _, code := range []string{"message_not_found", "cant_update_message", "edit_window_closed"} {
		if refusedWith(err, code) {
			m.channel = d.Channel
			return c.post(ctx, m)
		}
	}
	return d, err
}

func (c *Chat) updateOnce(ctx stdctx.Context, d chat.Delivery, m message) error {
	options, err := m.options()
	if err != nil {
		return err
	}
	return c.call(ctx, "change a message", func(ctx stdctx.Context) error {
		_, _, _, err := c.api.UpdateMessageContext(ctx, d.Channel, d.TS, options...)
		return err
	})
}

// Tell posts a plain message to a channel, a thread or a person.
func (c *Chat) Tell(ctx stdctx.Context, n chat.Note) (chat.Delivery, error) {
	m := message{channel: n.To, fallback: "Message from Tourniquet", blocks: NoteBlocks(n)}
	switch {
	case n.Person != "":
		dm, err := c.direct(ctx, n.Person)
		if err != nil {
			return chat.Delivery{}, err
		}
		m.channel = dm
	case n.Thread.TS != "":
		m.channel, m.thread = n.Thread.Channel, n.Thread.TS
	case m.channel == "":
		m.channel = c.cfg.Channel
	}
	return c.post(ctx, m)
}

func (c *Chat) direct(ctx stdctx.Context, person string) (string, error) {
	var id string
	err := c.call(ctx, "open a direct message", func(ctx stdctx.Context) error {
		channel, _, _, err := c.api.OpenConversationContext(ctx, &slackapi.OpenConversationParameters{Users: []string{person}})
		if err == nil {
			id = channel.ID
		}
		return err
	})
	return id, err
}

// Ask posts the card of a sign-off, unless other companies can read there. Without a channel it goes to the responders'.
func (c *Chat) Ask(ctx stdctx.Context, v signoff.View, channel string) (chat.Delivery, error) {
	if channel == "" {
		channel = c.cfg.Channel
	}
	if err := c.refuseShared(ctx, channel); err != nil {
		return chat.Delivery{}, err
	}
	return c.post(ctx, cardMessage(channel, v))
}

func cardMessage(channel string, v signoff.View) message {
	return message{channel: channel, blocks: Card(v), kind: "tourniquet_signoff", request: v.Request,
		fallback: fmt.Sprintf("%s sign-off %s: %s", world(v), inert(v.Request), stateWords(v.State))}
}

// inert keeps only what an id of ours is made of.
func inert(id string) string {
	kept := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, id)
	return kept[:min(len(kept), 100)]
}

// Settle redraws one copy of the card as the view stands.
func (c *Chat) Settle(ctx stdctx.Context, d chat.Delivery, v signoff.View) (chat.Delivery, error) {
	return c.update(ctx, d, cardMessage(d.Channel, v))
}

// History replies in the card's thread how the request stands.
func (c *Chat) History(ctx stdctx.Context, d chat.Delivery, v signoff.View) error {
	blocks := []slackapi.Block{cardProgress(v)}
	if v.State != signoff.StateOpen {
		blocks = []slackapi.Block{cardOutcome(v)}
	}
	if len(v.Decided) > 0 || len(v.Refused) > 0 {
		blocks = append(blocks, cardDecided(v))
	}
	_, err := c.post(ctx, message{channel: d.Channel, thread: d.TS, blocks: blocks, kind: "tourniquet_outcome", request: v.Request,
		fallback: fmt.Sprintf("Sign-off %s: %s", inert(v.Request), stateWords(v.State))})
	if refusedWith(err, "message_not_found") || refusedWith(err, "thread_not_found") || refusedWith(err, "cannot_reply_to_message") {
		return nil // the card was deleted a moment ago: the next redraw posts it again
	}
	return err
}

// Question posts a question to the responders' channel.
func (c *Chat) Question(ctx stdctx.Context, q chat.Choice) (chat.Delivery, error) {
	if err := c.refuseShared(ctx, c.cfg.Channel); err != nil {
		return chat.Delivery{}, err
	}
	blocks, err := QuestionCard(q, "")
	if err != nil {
		return chat.Delivery{}, err
	}
	return c.post(ctx, message{channel: c.cfg.Channel, blocks: blocks, kind: "tourniquet_question", request: q.Request,
		fallback: fmt.Sprintf("Question %s is waiting for an answer", inert(q.Request))})
}

// SettleQuestion replaces the question with its answer.
func (c *Chat) SettleQuestion(ctx stdctx.Context, d chat.Delivery, q chat.Choice, answer string) error {
	blocks, err := QuestionCard(q, orWords(answer, "closed without an answer"))
	if err != nil {
		return err
	}
	_, err = c.update(ctx, d, message{channel: d.Channel, blocks: blocks, kind: "tourniquet_question", request: q.Request,
		fallback: fmt.Sprintf("Question %s is answered", inert(q.Request))})
	return err
}
