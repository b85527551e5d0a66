package slack_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// connect runs the Socket Mode door and shuts the HTTP one.
func connect(t *testing.T, tn *town) {
	t.Helper()
	tn.slack.Deliver("", "")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tn.chat.RunSocket(ctx, tn.desk) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the socket ended with %v", err)
		}
	})
	await(t, tn, "a connected client", func() (bool, bool) { return true, tn.slack.Sockets() == 1 })
}

func TestSocketModeTakesTheSameWay(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	connect(t, tn)
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
		t.Fatal(err)
	}
	modal := tn.openModal(t, "U0KIM", "")
	if err := tn.slack.Submit(t.Context(), "U0KIM", modal.ID, nil); err != nil {
		t.Fatal(err)
	}
	got := tn.desk.all()
	if len(got) != 1 || got[0].User != "U0KIM" || got[0].Digest != openView().Digest || got[0].Verb != signoff.Approve || got[0].Delivery != d {
		t.Fatalf("the desk was handed %+v", got)
	}
	if now := tn.openModal(t, "U0KIM", modal.Hash); !strings.Contains(string(now.Content), "Recorded: approve") {
		t.Errorf("the modal does not show the answer: %s", now.Content)
	}
	if err := tn.slack.Command(t.Context(), "U0SAM", tn.creds.Channel, "status"); err != nil {
		t.Fatal(err)
	}
	tn.awaitPrivate(t, "U0SAM", "U0SAM asked status")
}

func TestSocketModeWithAWrongTokenSaysSo(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	if err := slack.New(slack.Config{}).RunSocket(t.Context(), tn.desk); err == nil || !strings.Contains(err.Error(), "app token") {
		t.Errorf("got %v", err)
	}
	wrong := slack.New(slack.Config{Token: tn.creds.Token, AppToken: tn.creds.Token, BaseURL: tn.api + "/api/"})
	if err := wrong.RunSocket(t.Context(), tn.desk); err == nil || !strings.Contains(err.Error(), "xapp-") {
		t.Errorf("a bot token opened Socket Mode: %v", err)
	}
}

func TestScriptedPeopleReviewEveryPageAndDecide(t *testing.T) {
	t.Parallel()
	view := openView()
	view.Envelope.Calls = manyCalls(40)
	tn := newTown(t, view)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tn.slack.AutoApprove(ctx, sandbox.Script{People: []sandbox.ScriptedPerson{{User: "U0KIM"}, {User: "U0SAM", Reject: "not ours"}}, Note: func(s string) { t.Error(s) }})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	if _, err := tn.chat.Ask(t.Context(), view, ""); err != nil {
		t.Fatal(err)
	}
	tn.awaitPrivate(t, "U0KIM", "Recorded: approve by U0KIM")
	tn.awaitPrivate(t, "U0SAM", "Recorded: reject by U0SAM")
	if n := len(tn.desk.all()); n != 2 {
		t.Errorf("the desk saw %d presses, want 2", n)
	}
}
