package slack

import (
	stdctx "context"
	"errors"
	"fmt"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

const (
	mostAtOnce     = 64
	socketAfter    = time.Second      // before the first new try
	socketAfterMax = 30 * time.Second // between tries
)

// RunSocket is the Socket Mode door: it connects out, so no port is open. It reconnects for ever and returns when ctx
// ends or when Slack refuses the app token.
func (c *Chat) RunSocket(ctx stdctx.Context, desk chat.Desk) error {
	if c.cfg.AppToken == "" {
		return fmt.Errorf("Socket Mode needs an app token (xapp-…) with the scope %q; set it in the config", "connections:write")
	}
	wait := socketAfter
	for {
		err := c.socketOnce(ctx, desk)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refused slackapi.SlackErrorResponse
		if errors.As(err, &refused) {
			return sentence("open Socket Mode", err)
		}
		c.log.WarnContext(ctx, "Socket Mode was interrupted; connecting again", "wait", wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		wait = min(2*wait, socketAfterMax)
	}
}

func (c *Chat) socketOnce(ctx stdctx.Context, desk chat.Desk) error {
	ctx, cancel := stdctx.WithCancel(ctx)
	defer cancel()
	client := socketmode.New(slackapi.New(c.cfg.Token, c.options()...))
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()

	var busy sync.WaitGroup
	defer busy.Wait()
	slots := make(chan struct{}, mostAtOnce)
	for {
		select {
		case err := <-ended:
			return err
		case event := <-client.Events:
			if failed, ok := event.Data.(*slackapi.ConnectionErrorEvent); ok && hopeless(failed.ErrorObj) {
				return failed.ErrorObj
			}
			if event.Request == nil {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				continue
			}
			busy.Go(func() {
				defer func() { <-slots }()
				c.socketEvent(ctx, client, desk, event)
			})
		}
	}
}

// hopeless tells refusals that no waiting mends; slack-go itself would try again for ever.
func hopeless(err error) bool {
	var refused slackapi.SlackErrorResponse
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Err {
	case "missing_scope", "not_allowed_token_type", "forbidden_team", "token_expired", "no_permission", "access_denied":
		return true
	}
	return false
}

// socketEvent acknowledges within Slack's three seconds. Slack vouches for the connection, not for the workspace:
// team and app are checked here as on the other door.
func (c *Chat) socketEvent(ctx stdctx.Context, client *socketmode.Client, desk chat.Desk, event socketmode.Event) {
	var reply any
	switch data := event.Data.(type) {
	case slackapi.InteractionCallback:
		if !c.allowed(data.Team.ID, data.APIAppID, data.Enterprise.ID) {
			c.log.WarnContext(ctx, "a press from a workspace or app that is not allowed was refused", "team", inert(data.Team.ID), "app", inert(data.APIAppID))
			break
		}
		reply = c.interact(ctx, desk, data)
	case slackapi.SlashCommand:
		if c.allowed(data.TeamID, data.APIAppID, data.EnterpriseID) {
			reply = c.command(ctx, desk, data)
		}
	}
	if event.Request.EnvelopeID == "" {
		return // hello and the like want no answer
	}
	if err := client.AckCtx(ctx, event.Request.EnvelopeID, reply); err != nil {
		c.log.WarnContext(ctx, "a press could not be acknowledged; Slack will send it again", "reason", err.Error())
	}
}
