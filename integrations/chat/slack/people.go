package slack

import (
	stdctx "context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// Members returns the chat user ids of a user group, now. An empty group is an error: it must never mean anyone.
func (c *Chat) Members(ctx stdctx.Context, usergroup string) ([]string, error) {
	var members []string
	err := c.call(ctx, fmt.Sprintf("list the members of user group %q", usergroup), func(ctx stdctx.Context) (err error) {
		members, err = c.api.GetUserGroupMembersContext(ctx, usergroup)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, &chat.EmptyGroupError{Group: usergroup}
	}
	return members, nil
}

// Eligible returns "" or why this chat user may never decide, in words that go on after "this account".
func (c *Chat) Eligible(ctx stdctx.Context, user string) (string, error) {
	var u *slackapi.User
	err := c.call(ctx, fmt.Sprintf("describe user %q", user), func(ctx stdctx.Context) (err error) {
		u, err = c.api.GetUserInfoContext(ctx, user)
		return err
	})
	if refusedWith(err, "user_not_found") || refusedWith(err, "user_not_visible") {
		return "is not known in this workspace", nil
	}
	if err != nil {
		return "", err
	}
	switch {
	case u.IsBot || u.IsAppUser || u.IsWorkflowBot || u.IsConnectorBot || u.ID == "USLACKBOT":
		return "is a bot, and bots never decide", nil
	case u.Deleted:
		return "is deactivated", nil
	case u.IsRestricted || u.IsUltraRestricted:
		return "is that of a guest, and guests never decide", nil
	case u.IsInvitedUser:
		return "was invited and has not joined yet", nil
	case u.IsStranger || !slices.Contains(c.cfg.Teams, u.TeamID):
		return "belongs to another workspace", nil
	}
	return "", nil
}

// sharedChannels remembers for a short time which channels were found to be ours alone.
type sharedChannels struct {
	sync.Mutex
	seen map[string]time.Time
}

const sharedAge = 5 * time.Minute

var errShared = errors.New("is shared with another company")

// refuseShared refuses channels that another company can read or that wait to be shared with one.
func (c *Chat) refuseShared(ctx stdctx.Context, channel string) error {
	if channel == "" {
		return fmt.Errorf("no Slack channel is configured; set the id of the responders' channel")
	}
	c.shared.Lock()
	at, known := c.shared.seen[channel]
	c.shared.Unlock()
	if known && time.Since(at) < sharedAge {
		return nil
	}
	var info *slackapi.Channel
	err := c.call(ctx, fmt.Sprintf("describe channel %q", channel), func(ctx stdctx.Context) (err error) {
		info, err = c.api.GetConversationInfoContext(ctx, &slackapi.GetConversationInfoInput{ChannelID: channel})
		return err
	})
	if err != nil {
		return err
	}
	if info.IsExtShared || info.IsPendingExtShared {
		return fmt.Errorf("channel %q %w; choose one that is not", channel, errShared)
	}
	c.shared.Lock()
	c.shared.seen[channel] = time.Now()
	c.shared.Unlock()
	return nil
}

// sharedNow says why a press in this channel is not taken; empty where it is. What cannot be asked just now was asked when
// the card was posted.
func (c *Chat) sharedNow(ctx stdctx.Context, channel string) string {
	err := c.refuseShared(ctx, channel)
	if errors.Is(err, errShared) {
		return "Nothing is decided here any more: this channel is shared with another company. Use the console, or a channel that is not shared."
	}
	return ""
}

// Check asks Slack who we are and whether channel, workspace and scopes fit. It changes nothing.
func (c *Chat) Check(ctx stdctx.Context) error {
	if len(c.cfg.Teams) == 0 || len(c.cfg.Apps) == 0 {
		return fmt.Errorf("the Slack config allows no workspace or no app, so every press would be refused; set both ids")
	}
	if c.cfg.SigningSecret == "" && c.cfg.AppToken == "" {
		return fmt.Errorf("the Slack config has neither an app token nor a signing secret, so no press could arrive; set one")
	}
	var me *slackapi.AuthTestResponse
	err := c.call(ctx, "say who we are", func(ctx stdctx.Context) (err error) {
		me, err = c.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !slices.Contains(c.cfg.Teams, me.TeamID) {
		return fmt.Errorf("the Slack token belongs to workspace %q, which is not among the allowed ones", me.TeamID)
	}
	if missing := missingScopes(me.Header.Get("X-OAuth-Scopes"), Scopes(c.cfg.Rooms)); len(missing) > 0 {
		return fmt.Errorf("the Slack app lacks the scopes %q; add them to the manifest and install the app again", missing)
	}
	return c.refuseShared(ctx, c.cfg.Channel)
}

// Scopes are what the app needs and no more; rooms adds what making a channel for each incident takes.
func Scopes(rooms bool) []string {
	scopes := []string{"channels:read", "chat:write", "commands", "files:write", "im:write", "usergroups:read", "users:read"}
	if rooms {
		scopes = append(scopes, "channels:manage")
		slices.Sort(scopes)
	}
	return scopes
}

func missingScopes(header string, needed []string) []string {
	if header == "" {
		return nil // Slack did not say; the calls themselves will
	}
	var have []string
	for s := range strings.SplitSeq(header, ",") {
		have = append(have, strings.TrimSpace(s))
	}
	var missing []string
	for _, s := range needed {
		if !slices.Contains(have, s) && (s != "channels:read" || !slices.Contains(have, "groups:read")) {
			missing = append(missing, s)
		}
	}
	return missing
}
