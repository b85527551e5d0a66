package slack

import (
	stdctx "context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// RateLimited says that Slack wants us to wait longer than one call may. It can be tried again.
type RateLimited struct{ After time.Duration }

func (e *RateLimited) Error() string {
	return fmt.Sprintf("Slack asks to wait %s before the next call", e.After)
}

// Retryable tells callers that the same call may succeed later.
func (e *RateLimited) Retryable() bool { return true }

// Refused is Slack's ok:false. Code is Slack's own word.
type Refused struct {
	What string
	Code string
	Hint string
}

func (e *Refused) Error() string {
	return fmt.Sprintf("Slack refused to %s: %s (%s)", e.What, e.Hint, e.Code)
}

// Is tells callers of the port which refusals no retry can mend for one copy.
func (e *Refused) Is(target error) bool {
	if target != chat.ErrUnreachable {
		return false
	}
	switch e.Code {
	case "channel_not_found", "not_in_channel", "is_archived", "is_inactive":
		return true
	}
	return false
}

func refusedWith(err error, code string) bool {
	var refused *Refused
	return errors.As(err, &refused) && refused.Code == code
}

const (
	longestWait = 30 * time.Second // of one call, for all its rate limits together
	mostTries   = 4
)

// call runs one Slack call, waits out short rate limits and turns errors into sentences. what is a verb phrase.
func (c *Chat) call(ctx stdctx.Context, what string, do func(stdctx.Context) error) error {
	left := longestWait
	for try := 1; ; try++ {
		err := do(ctx)
		c.cfg.Meter.SlackCall(callName(what), outcome(err))
		var limit *slackapi.RateLimitedError
		if !errors.As(err, &limit) {
			return sentence(what, err)
		}
		if limit.RetryAfter > left || try == mostTries {
			return &RateLimited{After: limit.RetryAfter}
		}
		left -= limit.RetryAfter
		timer := time.NewTimer(limit.RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("Slack asked to wait before it would %s: %w", what, ctx.Err())
		}
	}
}

// callName is what was asked, without the name of whom or what it was about.
func callName(what string) string {
	name, _, _ := strings.Cut(what, ` "`)
	return name
}

// outcome is how a call ended, in one of few words.
func outcome(err error) string {
	var refused slackapi.SlackErrorResponse
	var limit *slackapi.RateLimitedError
	var status slackapi.StatusCodeError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &limit):
		return "ratelimited"
	case errors.As(err, &status):
		return fmt.Sprintf("status_%dxx", status.Code/100)
	case errors.As(err, &refused):
		if hintFor(refused.Err) == unknownHint {
			return "refused"
		}
		return refused.Err
	case errors.Is(err, stdctx.DeadlineExceeded), os.IsTimeout(err):
		return "timeout"
	}
	return "no_answer"
}

const unknownHint = "see the error's name in Slack's documentation"

func sentence(what string, err error) error {
	if err == nil {
		return nil
	}
	var answer slackapi.SlackErrorResponse
	if errors.As(err, &answer) {
		hint := hintFor(answer.Err)
		if answer.Err == "missing_scope" && answer.Needed != "" {
			hint = fmt.Sprintf("the app lacks the scope %q; add it and install the app again", line(answer.Needed))
		}
		return &Refused{What: what, Code: line(answer.Err), Hint: hint}
	}
	var status slackapi.StatusCodeError
	if errors.As(err, &status) && status.Code >= 300 && status.Code < 400 {
		return &Refused{What: what, Code: "redirect", Hint: "it points elsewhere, where no token is carried; correct slack.base_url"}
	}
	if errors.As(err, &status) {
		return fmt.Errorf("Slack answered status %d when asked to %s; try again", status.Code, what)
	}
	var broken *url.Error
	if errors.As(err, &broken) { // its text holds the address; the cause alone is enough
		return fmt.Errorf("Slack did not answer when asked to %s: %w", what, broken.Err)
	}
	return fmt.Errorf("asking Slack to %s: %w", what, err)
}

func hintFor(code string) string {
	switch code {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive":
		return "the token is not valid; put a current bot token into the config"
	case "not_allowed_token_type":
		return "this call needs another kind of token: xoxb- for the bot, xapp- for Socket Mode"
	case "missing_scope":
		return "the app lacks a scope; compare it with the manifest and install it again"
	case "channel_not_found":
		return "there is no such channel, or the app cannot see it; use the channel's id and invite the app"
	case "not_in_channel", "user_not_in_channel":
		return "not a member of the channel; invite it there"
	case "is_archived", "is_inactive":
		return "the channel is archived; choose another"
	case "msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "view_too_large", "no_text":
		return "the message does not fit Slack's limits; decide it in the console"
	case "message_not_found":
		return "the message is gone"
	case "cant_update_message", "edit_window_closed":
		return "the message can no longer be changed"
	case "used_url", "expired_url":
		return "the way back of this tap is used up; the answer is sent another way"
	case "file_uploads_disabled", "file_upload_size_restricted", "file_type_not_allowed", "storage_limit_reached", "file_not_found":
		return "the workspace takes no picture now; cards go out without theirs"
	case "name_taken":
		return "a channel of this name exists and is not ours"
	case "expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id":
		return "the tap is too old or was used already; tap again"
	case "user_not_found", "user_not_visible":
		return "there is no such person in this workspace"
	case "no_such_subteam":
		return "there is no such user group; use its id, which begins with S"
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return "too many messages; try again later"
	}
	return unknownHint
}
