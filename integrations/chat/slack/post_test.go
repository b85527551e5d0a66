package slack_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func TestEveryCopyLosesItsButtonsAndTheThreadKeepsTheHistory(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	v := openView()
	v.State, v.Filled = signoff.StateDone, 2
	if now, err := tn.chat.Settle(t.Context(), d, v); err != nil || now != d {
		t.Fatalf("the copy is now at %+v: %v", now, err)
	}
	if err := tn.chat.History(t.Context(), d, v); err != nil {
		t.Fatal(err)
	}
	if tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review") == nil {
		t.Error("a decided card can still be pressed")
	}
	messages := tn.slack.Messages()
	if len(messages) != 2 || messages[1].Thread != d.TS || !strings.Contains(string(messages[1].Blocks), "approved and done") {
		t.Errorf("the thread does not keep the outcome: %+v", messages)
	}
	if !strings.Contains(string(messages[0].Metadata), `"request":"sr_7f3a"`) {
		t.Errorf("the message does not carry its request: %s", messages[0].Metadata)
	}
}

func TestADeletedCardIsPostedAgainWhenItIsSettled(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	tn.slack.DeleteMessage(d.Channel, d.TS)
	v := openView()
	v.State = signoff.StateRejected
	now, err := tn.chat.Settle(t.Context(), d, v)
	if err != nil {
		t.Fatal(err)
	}
	messages := tn.slack.Messages()
	if len(messages) != 1 || messages[0].TS != now.TS || now.TS == d.TS || !strings.Contains(string(messages[0].Blocks), "rejected") {
		t.Errorf("the decided card is not to be seen: %+v", messages)
	}
}

func TestARateLimitIsWaitedOut(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	tn.world.Fault("slack", http.StatusTooManyRequests, 1)
	if _, err := tn.chat.Tell(t.Context(), chat.Note{Title: "hello"}); err != nil {
		t.Fatal(err)
	}
	if n := len(tn.slack.Messages()); n != 1 {
		t.Errorf("%d messages were posted", n)
	}
}

func TestALongRateLimitIsReturnedAsRetryable(t *testing.T) {
	t.Parallel()
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(busy.Close)
	c := slack.New(slack.Config{Token: "t", BaseURL: busy.URL + "/", Channel: "C1"})
	_, err := c.Tell(t.Context(), chat.Note{Title: "hello"})
	var limit *slack.RateLimited
	if !errors.As(err, &limit) || !limit.Retryable() || limit.After.Hours() != 1 {
		t.Errorf("got %v", err)
	}
}

func TestErrorsAreSentencesWithoutTheToken(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	tn.slack.RemoveScope("chat:write")
	_, err := tn.chat.Tell(t.Context(), chat.Note{Title: "hello"})
	if err == nil || !strings.Contains(err.Error(), `lacks the scope "chat:write"`) || strings.Contains(err.Error(), tn.creds.Token) {
		t.Errorf("got %v", err)
	}
	if err := tn.chat.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "chat:write") {
		t.Errorf("the check did not miss the scope: %v", err)
	}
}

func TestASharedChannelIsRefused(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	if err := tn.chat.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared := newTown(t, openView())
	shared.slack.ShareChannel(true)
	if _, err := shared.chat.Ask(t.Context(), openView(), ""); err == nil || !strings.Contains(err.Error(), "shared with another company") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyMembersOfTheWorkspaceMayDecide(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	for id, p := range map[string]sandbox.SlackPerson{
		"U1BOT": {Bot: true}, "U2GONE": {Deleted: true}, "U3GUEST": {Guest: true}, "U4FOREIGN": {Team: "T0OTHER"}, "U5STRANGE": {Stranger: true},
	} {
		p.ID, p.Name = id, id
		tn.slack.AddPerson(p)
		if why, err := tn.chat.Eligible(t.Context(), id); err != nil || why == "" {
			t.Errorf("%s may decide: %q %v", id, why, err)
		}
	}
	if why, err := tn.chat.Eligible(t.Context(), "U9NOBODY"); err != nil || why == "" {
		t.Errorf("a person who does not exist may decide: %v", err)
	}
	if why, err := tn.chat.Eligible(t.Context(), "U0KIM"); err != nil || why != "" {
		t.Errorf("Kim may not decide: %q %v", why, err)
	}
	members, err := tn.chat.Members(t.Context(), "S0SECOPS")
	if err != nil || len(members) != 2 {
		t.Errorf("got %v %v", members, err)
	}
	tn.slack.SetGroup("S1EMPTY")
	if _, err := tn.chat.Members(t.Context(), "S1EMPTY"); err == nil {
		t.Error("an empty group is not an error")
	}
}
