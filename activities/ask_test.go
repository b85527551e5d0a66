package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// talk is a chat, a pager and a mailer in one: it keeps what it was given, and can be away.
type talk struct {
	chat.Chat
	mu     sync.Mutex
	away   error
	noRoom error
	asked  []string // channels
	rooms  int
	mails  []string
	pages  []string
}

func (c *talk) Ask(_ context.Context, v signoff.View, channel string) (chat.Delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away != nil {
		return chat.Delivery{}, c.away
	}
	if channel == "" {
		channel = "C0RESPOND"
	}
	c.asked = append(c.asked, channel)
	return chat.Delivery{Channel: channel, TS: fmt.Sprintf("%s-%d", v.Request, len(c.asked))}, nil
}

func (c *talk) Room(_ context.Context, incident, _ string, users []string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms++
	return "C0" + incident + fmt.Sprint(len(users)), c.noRoom
}

func (c *talk) Page(_ context.Context, _, summary string, _ []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages = append(c.pages, summary)
	return nil
}

func (c *talk) Resolve(context.Context, string) error { return nil }

func (c *talk) Acknowledge(context.Context, string) error { return nil }

func (c *talk) Send(_ context.Context, to []string, subject, text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mails = append(c.mails, fmt.Sprintf("%v %s %s", to, subject, text))
	return nil
}

// asking is a house whose people are asked through c, with one open request.
func asking(t *testing.T, c *talk) (*bench, wire.Settle) {
	t.Helper()
	b := build(t)
	if c != nil {
		b.h.Chat, b.h.Pager, b.h.Mailer = c, c, c
		b.h.Cards = cards.New(b.h.DB, c, b.h.Log)
	}
	g := b.grant(t, b.call("key.revoke", "key", nil))
	return b, wire.Settle{Run: "run-1", Request: g.Request, State: signoff.StateOpen}
}

func (b *bench) ask(t *testing.T, s wire.Settle) error {
	t.Helper()
	_, err := b.env.ExecuteActivity(wire.AskSignoff, s)
	return err
}

func TestChatThatIsAwayForAMinuteIsGoneRoundOnce(t *testing.T) {
	t.Parallel()
	c := &talk{away: errors.New("Slack answered status 500")}
	b, s := asking(t, c)
	if err := b.ask(t, s); err == nil {
		t.Fatal("a card that was not delivered is not tried again")
	}
	if len(c.mails)+len(c.pages) != 0 {
		t.Errorf("people were woken at once: %v %v", c.mails, c.pages)
	}
	b.h.Now = func() time.Time { return time.Now().Add(61 * time.Second) }
	for range 3 {
		if err := b.ask(t, s); err == nil {
			t.Fatal("a card that was not delivered is not tried again")
		}
	}
	if len(c.mails) != 1 || len(c.pages) != 1 {
		t.Fatalf("mails %q, pages %q", c.mails, c.pages)
	}
	if !strings.Contains(c.mails[0], "tourniquet signoff show "+s.Request) || !strings.Contains(c.mails[0], "ann@example.com") {
		t.Errorf("the mail does not lead anywhere: %q", c.mails[0])
	}
	c.away = nil
	if err := b.ask(t, s); err != nil || len(c.asked) != 1 {
		t.Errorf("chat is back, and the card was posted %d times: %v", len(c.asked), err)
	}
	view := must(b.h.DB.Request(t.Context(), s.Request))(t)
	if view.State != signoff.StateOpen || len(view.Decided) != 0 {
		t.Errorf("an outage decided: %+v", view)
	}
}

func TestWithoutChatPeopleAreWrittenToAtOnce(t *testing.T) {
	t.Parallel()
	c := &talk{}
	b, s := asking(t, c)
	b.h.Chat, b.h.Cards = nil, nil
	for range 2 {
		if err := b.ask(t, s); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.mails) != 1 || len(c.pages) != 1 {
		t.Errorf("mails %q, pages %q", c.mails, c.pages)
	}
}

func TestAnIncidentsOwnChannelGetsACopyAndItsFailureHoldsNothingUp(t *testing.T) {
	t.Parallel()
	c := &talk{noRoom: errors.New("Slack refused: missing_scope")}
	b, s := asking(t, c)
	b.h.Rooms = true
	if err := b.ask(t, s); err == nil || len(c.asked) != 1 || c.asked[0] != "C0RESPOND" {
		t.Fatalf("without its channel the card is in %v: %v", c.asked, err)
	}
	c.noRoom = nil
	for range 2 {
		if err := b.ask(t, s); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.asked) != 2 || c.asked[1] != "C0inc-run-13" || c.rooms != 2 {
		t.Errorf("the card is in %v, and a channel was made %d times", c.asked, c.rooms)
	}
	if copies := must(b.h.DB.Deliveries(t.Context(), s.Request))(t); len(copies) != 2 {
		t.Errorf("known copies: %+v", copies)
	}
}
