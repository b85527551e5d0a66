package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Delivery is one copy of a card: where a press on it must come from.
type Delivery struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// Note is a plain message. Everything in it is shown as plain text.
type Note struct {
	To     string // channel id, or "" for the responders' channel
	Person string // person's chat user id, for a direct message
	Title  string
	Lines  []string
	Thread Delivery // reply in this thread when set
	Ping   []string // chat user ids to mention
}

// Choice is a question that takes one of several answers: information, retry/skip/stop, ambiguous keys.
type Choice struct {
	Request string // question id
	Run     string
	Title   string
	Prompt  string
	Choices []string
	Who     string // words: who may answer
	Expires string // words
	Alarm   *signoff.Alarm
}

// ErrUnreachable is what errors of Settle and History are when no retry can bring them to that copy: its channel is
// gone, archived, or the app was taken out of it.
var ErrUnreachable = errors.New("this copy cannot be reached any more")

// Chat asks and tells people. Errors are sentences; a rate limit is waited out or returned as retryable.
type Chat interface {
	Tell(ctx context.Context, n Note) (Delivery, error)
	// Ask posts the card of a sign-off to the responders' channel, or to another one.
	Ask(ctx context.Context, view signoff.View, channel string) (Delivery, error)
	// Settle redraws one copy of the card as the view stands: one that is not open has no buttons. A copy that somebody
	// deleted is posted again; the answer says where it is now.
	Settle(ctx context.Context, d Delivery, view signoff.View) (Delivery, error)
	// History replies in the thread of a copy how the request stands: it keeps what an edit hides.
	History(ctx context.Context, d Delivery, view signoff.View) error
	// Room gives the incident a channel of its own, with these chat users in it. A repeat gives the same channel.
	Room(ctx context.Context, incident, title string, users []string) (channel string, err error)
	// Picture keeps a PNG with the chat service; cards show it by the id that comes back. words are for who cannot see it.
	Picture(ctx context.Context, name string, png []byte, words string) (id string, err error)
	Question(ctx context.Context, c Choice) (Delivery, error)
	SettleQuestion(ctx context.Context, d Delivery, c Choice, answer string) error
	// Members returns the chat user ids of a user group, now.
	Members(ctx context.Context, usergroup string) ([]string, error)
	// Eligible returns "" or why this chat user may never decide (bot, deleted, guest, other workspace), in words that go
	// on after "this account".
	Eligible(ctx context.Context, user string) (string, error)
	Check(ctx context.Context) error
}

// EmptyGroupError is a user group that the chat service knows and in which nobody is: an answer, and no outage. It must
// never be taken to mean anyone.
type EmptyGroupError struct{ Group string }

func (e *EmptyGroupError) Error() string {
	return fmt.Sprintf("user group %q has no members, so nobody could decide", e.Group)
}

// Press is one authenticated act of a chat user: what the door hands to the gateway.
type Press struct {
	User     string // chat user id, as the chat service vouches for it
	Request  string // request or question id that the button routes to
	Verb     string // approve, reject, answer
	Digest   string // of the envelope that was shown
	Reason   string
	Answer   string
	Delivery Delivery // must match a delivery that we recorded
	Trigger  string
}

// Desk is what the chat's door hands presses to. It records every attempt before it answers; the answer is a
// sentence for the person who pressed, never a secret.
type Desk interface {
	Press(ctx context.Context, p Press) (answer string, accepted bool)
	// View returns the stored view of a request, for the review modal; user is who looks.
	View(ctx context.Context, request, user string) (signoff.View, error)
	// Command answers the slash command.
	Command(ctx context.Context, user, text string) string
	// Shown tells whether something of ours was ever shown in this channel.
	Shown(ctx context.Context, channel string) bool
}
