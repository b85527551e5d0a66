package slack

import (
	stdctx "context"
	"fmt"
	"strings"

	slackapi "github.com/slack-go/slack"
)

const (
	mostRoomName  = 80 // Slack's limit for a channel's name
	mostTopic     = 250
	mostRoomPages = 50
)

// Room makes a public channel for the incident, or finds the one that a repeat made, and invites people. Who cannot be
// invited does not keep the others out: the card is in the responders' channel, too.
func (c *Chat) Room(ctx stdctx.Context, incident, title string, users []string) (string, error) {
	name := roomName(incident)
	channel := ""
	err := c.call(ctx, "make a channel for the incident", func(ctx stdctx.Context) error {
		made, err := c.api.CreateConversationContext(ctx, slackapi.CreateConversationParams{ChannelName: name})
		if err == nil {
			channel = made.ID
		}
		return err
	})
	if refusedWith(err, "name_taken") {
		channel, err = c.findRoom(ctx, name)
	}
	if err != nil {
		return "", err
	}
	if err := c.call(ctx, "set the channel's topic", func(ctx stdctx.Context) error {
		_, err := c.api.SetTopicOfConversationContext(ctx, channel, cut(line("Incident "+incident+": "+title), mostTopic))
		return err
	}); err != nil {
		c.log.WarnContext(ctx, "the incident's channel has no topic", "reason", err.Error())
	}
	for _, u := range users {
		err := c.call(ctx, "invite people to the incident's channel", func(ctx stdctx.Context) error {
			_, err := c.api.InviteUsersToConversationContext(ctx, channel, u)
			return err
		})
		if err != nil && !refusedWith(err, "already_in_channel") && !refusedWith(err, "cant_invite_self") {
			c.log.WarnContext(ctx, "a person could not be invited to the incident's channel", "user", inert(u), "reason", err.Error())
		}
	}
	return channel, nil
}

// roomName keeps what Slack takes for a name: lower case letters, digits, hyphens and underscores.
func roomName(incident string) string {
	name := strings.ToLower(strings.ReplaceAll("incident-"+inert(incident), ".", "-"))
	return name[:min(len(name), mostRoomName)]
}

// findRoom looks for a channel that the app itself made under this name.
func (c *Chat) findRoom(ctx stdctx.Context, name string) (string, error) {
	me, err := c.api.AuthTestContext(ctx)
	if err != nil {
		return "", sentence("say who we are", err)
	}
	cursor := ""
	for range mostRoomPages {
		var page []slackapi.Channel
		err := c.call(ctx, "look for the incident's channel", func(ctx stdctx.Context) (err error) {
			page, cursor, err = c.api.GetConversationsContext(ctx, &slackapi.GetConversationsParameters{
				Cursor: cursor, ExcludeArchived: true, Limit: 1000, Types: []string{"public_channel"}})
			return err
		})
		if err != nil {
			return "", err
		}
		for _, ch := range page {
			if ch.Name == name && ch.Creator == me.UserID {
				return ch.ID, nil
			}
		}
		if cursor == "" {
			break
		}
	}
	return "", fmt.Errorf("a channel named %q exists, but it was not made by this app; rename it, so that the incident's own can be made", name)
}
