package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// desk answers presses with what a test would see; it decides nothing.
type desk struct {
	view  signoff.View
	taken chan chat.Press
	slow  chan struct{} // where it is set, a press is answered when it is closed
}

func (d *desk) Press(_ context.Context, p chat.Press) (string, bool) {
	d.taken <- p
	if d.slow != nil {
		<-d.slow
	}
	return "taken", true
}

func (d *desk) View(context.Context, string, string) (signoff.View, error) {
	return d.view, nil
}

func (d *desk) Command(context.Context, string, string) string { return "nothing is open" }

func (d *desk) Shown(context.Context, string) bool { return true }

func cardOf(now time.Time) signoff.View {
	calls := []signoff.PlannedCall{{Step: "eradicate/revoke", Action: "key.revoke", Target: "gemini/main/k1", Effect: signoff.EffectFinal, Inputs: map[string]any{"key": "k1"}}}
	return signoff.View{
		Request: "sr_0a1b", Title: "Revoke a key", Why: "it is being spent", State: signoff.StateOpen, Seats: 2, Who: "secops", WhoNot: "the owner", Code: "AB12",
		Digest: "sha256:00", Link: "http://127.0.0.1:1/signoffs/sr_0a1b",
		Envelope: signoff.Envelope{Incident: "inc-1", Run: "run-1", Playbook: "leaked-key", Calls: calls, Issued: now, Expires: now.Add(time.Hour)},
	}
}

// town is a workspace with our door in it.
type town struct {
	slack *sandbox.Slack
	chat  *slack.Chat
	desk  *desk
	creds sandbox.SlackCredentials
}

func (t *tape) openTown() town {
	s := world().Slack()
	s.AddPerson(sandbox.SlackPerson{ID: "U0ANA", Name: "Ana", Title: "security"})
	s.AddPerson(sandbox.SlackPerson{ID: "U0BO", Name: "Bo", Title: "security"})
	s.SetGroup("S0SECOPS", "U0ANA", "U0BO")
	api := httptest.NewServer(s.Handler())
	creds := s.Credentials()
	c := slack.New(slack.Config{
		Token: creds.Token, AppToken: creds.AppToken, SigningSecret: creds.SigningSecret, BaseURL: api.URL + "/api/", Channel: creds.Channel, Rooms: true,
		Teams: []string{creds.Team}, Apps: []string{creds.App}, HTTPClient: &http.Client{Transport: carrier{t, "slack"}, Timeout: 10 * time.Second},
	})
	s.AddScope("channels:manage")
	d := &desk{view: cardOf(time.Now()), taken: make(chan chat.Press, 8)}
	door := httptest.NewServer(http.StripPrefix("/v1/slack", c.Handler(d, nil)))
	s.Deliver(door.URL+"/v1/slack/interactions", door.URL+"/v1/slack/commands")
	t.close = append(t.close, c.Wait, door.Close, api.Close)
	return town{s, c, d, creds}
}

func driveSlack(ctx context.Context, t *tape) error {
	tn := t.openTown()
	c := tn.chat
	var d, asked chat.Delivery
	question := chat.Choice{Request: "q_1", Run: "run-1", Title: "Abuse?", Prompt: "Is this use yours?", Choices: []string{"abuse", "legitimate"}, Who: "secops", Expires: "in an hour"}
	err := errors.Join(
		t.do("doctor", func() error { return c.Check(ctx) }),
		t.do("owners.notify", func() error {
			_, err := c.Tell(ctx, chat.Note{Person: "U0ANA", Title: "Your key is under attack", Lines: []string{"It was stopped"}})
			return err
		}),
		t.do("incident room", func() error { _, err := c.Room(ctx, "inc-1", "A key leaked", []string{"U0ANA", "U0BO"}); return err }),
		t.do("incident room (again)", func() error { _, err := c.Room(ctx, "inc-1", "A key leaked", []string{"U0ANA"}); return err }),
		t.do("sign-off, asked", func() (err error) { d, err = c.Ask(ctx, tn.desk.view, ""); return err }),
		t.do("sign-off, who may", func() error {
			if _, err := c.Members(ctx, "S0SECOPS"); err != nil {
				return err
			}
			_, err := c.Eligible(ctx, "U0ANA")
			return err
		}),
		t.do("sign-off, pressed", func() error { return tn.press(ctx, d) }),
		t.do("sign-off, pressed and recorded late", func() error { return tn.late(ctx, d) }),
		t.do("question, asked", func() (err error) { asked, err = c.Question(ctx, question); return err }),
		t.do("question, answered from outside the channel", func() error { return tn.answer(ctx) }),
		t.do("question, settled", func() error { return c.SettleQuestion(ctx, asked, question, "abuse") }),
	)
	if err != nil {
		return err
	}
	return t.do("sign-off, decided", func() error {
		v := tn.desk.view
		v.State = signoff.StateDone
		if _, err := c.Settle(ctx, d, v); err != nil {
			return err
		}
		return c.History(ctx, d, v)
	})
}

// press reviews the card, approves in the modal, and is answered.
func (tn town) press(ctx context.Context, d chat.Delivery) error {
	if err := tn.slack.Act(ctx, sandbox.ScriptedPerson{User: "U0ANA"}); err != nil {
		return err
	}
	select {
	case p := <-tn.desk.taken:
		if p.Verb != signoff.Approve {
			return fmt.Errorf("the press arrived as %q", p.Verb)
		}
	case <-ctx.Done():
		return errors.New("no press arrived")
	}
	defer tn.chat.Wait()
	return tn.slack.Command(ctx, "U0BO", d.Channel, "status")
}

// answer is told by the address of the press, because the app cannot write into its channel.
func (tn town) answer(ctx context.Context) error {
	defer tn.chat.Wait()
	tn.desk.slow = nil
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Call: "chat.postEphemeral", Error: "user_not_in_channel"}); err != nil {
		return err
	}
	return tn.slack.Act(ctx, sandbox.ScriptedPerson{User: "U0ANA", Answer: "abuse"})
}

// late has the records take longer than Slack waits, and the person be told by direct message.
func (tn town) late(ctx context.Context, d chat.Delivery) error {
	defer tn.chat.Wait()
	tn.desk.slow = make(chan struct{})
	defer close(tn.desk.slow)
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Call: "chat.postEphemeral", Error: "user_not_in_channel"}); err != nil {
		return err
	}
	return tn.slack.Act(ctx, sandbox.ScriptedPerson{User: "U0BO"})
}
