package slack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func TestOnlyTheSubmitOfTheReviewDecides(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
		t.Fatal(err)
	}
	modal := tn.openModal(t, "U0KIM", "")
	if got := tn.desk.all(); len(got) != 0 {
		t.Fatalf("opening the review decided: %+v", got)
	}
	if err := tn.slack.Submit(t.Context(), "U0KIM", modal.ID, nil); err != nil {
		t.Fatal(err)
	}
	got := tn.desk.all()
	if len(got) != 1 {
		t.Fatalf("one submit made %d presses", len(got))
	}
	got[0].Trigger = ""
	want := chat.Press{User: "U0KIM", Request: "sr_7f3a", Verb: signoff.Approve, Digest: "sha256:4b1d9c07e2", Delivery: d}
	if got[0] != want {
		t.Fatalf("the desk was handed %+v, want %+v", got[0], want)
	}
	if now := tn.openModal(t, "U0KIM", modal.Hash); !strings.Contains(string(now.Content), "Recorded: approve by U0KIM") {
		t.Errorf("the modal does not show the answer: %s", now.Content)
	}
	tn.awaitPrivate(t, "U0KIM", "Recorded: approve by U0KIM")
	if n := tn.pressesLogged("U0KIM", "sr_7f3a/approve"); n != 1 {
		t.Errorf("the world saw %d presses that decide, want 1", n)
	}
}

func (tn *town) awaitPrivate(t *testing.T, user, words string) {
	t.Helper()
	await(t, tn, "a private answer with "+words, func() (bool, bool) {
		for _, m := range tn.slack.Messages() {
			if m.For == user && strings.Contains(string(m.Blocks), words) {
				return true, true
			}
		}
		return false, false
	})
}

func (tn *town) pressesLogged(actor, path string) int {
	n := 0
	for _, e := range tn.world.Entries() {
		if e.Service == "slack" && e.Method == "PRESS" && e.Effect == sandbox.EffectPress && e.Actor == actor && e.Path == path {
			n++
		}
	}
	return n
}

func TestARejectionNeedsAReasonAndCarriesIt(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Press(t.Context(), "U0SAM", d.Channel, d.TS, "tourniquet_reject_form"); err != nil {
		t.Fatal(err)
	}
	modal := tn.openModal(t, "U0SAM", "")
	blank := map[string]map[string]string{"reason": {"reason": "  "}}
	if err := tn.slack.Submit(t.Context(), "U0SAM", modal.ID, blank); err != nil {
		t.Fatal(err)
	}
	if got := tn.desk.all(); len(got) != 0 {
		t.Fatalf("a rejection without a reason reached the desk: %+v", got)
	}
	if v := tn.slack.Views()[0]; !strings.Contains(v.Errors["reason"], "needs a reason") {
		t.Errorf("the form does not say what is missing: %v", v.Errors)
	}
	why := map[string]map[string]string{"reason": {"reason": "payroll uses this key"}}
	if err := tn.slack.Submit(t.Context(), "U0SAM", modal.ID, why); err != nil {
		t.Fatal(err)
	}
	got := tn.desk.all()
	if len(got) != 1 || got[0].Verb != signoff.Reject || got[0].Reason != "payroll uses this key" || got[0].User != "U0SAM" || got[0].Delivery != d {
		t.Fatalf("the desk was handed %+v", got)
	}
}

func TestALongPlanOffersSubmitOnlyAfterEveryPage(t *testing.T) {
	t.Parallel()
	view := openView()
	view.Envelope.Calls = manyCalls(40)
	tn := newTown(t, view)
	d, err := tn.chat.Ask(t.Context(), view, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
		t.Fatal(err)
	}
	seen, hash, pages := "", "", 0
	for {
		modal := tn.openModal(t, "U0KIM", hash)
		hash, seen, pages = modal.Hash, seen+string(modal.Content), pages+1
		if !strings.Contains(string(modal.Content), "tourniquet_page") {
			break // no next page is offered
		}
		if err := tn.slack.Submit(t.Context(), "U0KIM", modal.ID, nil); err == nil || len(tn.desk.all()) > 0 {
			t.Fatalf("page %d could be submitted, and it is not the last one", pages)
		}
		if err := tn.slack.PressInView(t.Context(), "U0KIM", modal.ID, "tourniquet_page"); err != nil {
			t.Fatal(err)
		}
		if pages > 30 {
			t.Fatal("the review never ends")
		}
	}
	for i := range 40 {
		if !strings.Contains(seen, fmt.Sprintf("target-%03d-end", i)) {
			t.Errorf("no page showed call %d", i)
		}
	}
	if pages < 2 {
		t.Errorf("40 calls fit on %d page; the test proves nothing", pages)
	}
}

func manyCalls(n int) []signoff.PlannedCall {
	var calls []signoff.PlannedCall
	for i := range n {
		calls = append(calls, signoff.PlannedCall{Index: i, Action: "dependent.update", Effect: signoff.EffectFinal,
			Target: fmt.Sprintf("repository %s target-%03d-end", strings.Repeat("x", 600), i)})
	}
	return calls
}

func TestAPlanOfMoreThanAHundredCallsIsNotApprovedInSlack(t *testing.T) {
	t.Parallel()
	view := openView()
	view.Envelope.Calls = manyCalls(101)
	tn := newTown(t, view)
	d, err := tn.chat.Ask(t.Context(), view, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err == nil {
		t.Fatal("the card offers a review of 101 calls")
	}
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_reject_form"); err != nil {
		t.Errorf("a long plan cannot even be rejected: %v", err)
	}
}

func TestACardWhosePlanChangedOpensNothing(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	tn.desk.view.Digest = "sha256:other"
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
		t.Fatal(err)
	}
	tn.awaitPrivate(t, "U0KIM", "out of date")
	if n := len(tn.slack.Views()); n != 0 {
		t.Errorf("%d modals are open", n)
	}
}

func TestASlowDeskIsAnsweredLaterAndNeverLost(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	tn.desk.hold = make(chan struct{})
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
	waiting := tn.openModal(t, "U0KIM", modal.Hash)
	if waiting.Failed != "" || !strings.Contains(string(waiting.Content), "still being recorded") {
		t.Fatalf("Slack was not answered in time: %+v", waiting)
	}
	close(tn.desk.hold)
	await(t, tn, "the late answer in the modal", func() (bool, bool) {
		v := tn.slack.Views()
		return true, len(v) == 1 && strings.Contains(string(v[0].Content), "Recorded: approve")
	})
	tn.awaitPrivate(t, "U0KIM", "Recorded: approve")
}

func TestQuestionsAreAnsweredByButtonAndByMenu(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 9} {
		tn := newTown(t, openView())
		q := chat.Choice{Request: "q_1", Run: "run_1", Title: "Step revoke ended with an error", Prompt: "What now?", Who: "secops", Expires: "in 1 h"}
		for i := range n {
			q.Choices = append(q.Choices, fmt.Sprintf("choice %d", i))
		}
		d, err := tn.chat.Question(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		action, value := "tourniquet_answer_2", ""
		if n > 5 {
			action, value = "tourniquet_answer", "choice 2"
		}
		if err := tn.slack.Choose(t.Context(), "U0KIM", d.Channel, d.TS, action, value); err != nil {
			t.Fatal(err)
		}
		got := tn.desk.all()
		if len(got) != 1 || got[0].Answer != "choice 2" || got[0].Request != "q_1" || got[0].Verb != "answer" || got[0].Delivery != d {
			t.Fatalf("with %d choices the desk was handed %+v", n, got)
		}
		if tn.pressesLogged("U0KIM", "q_1/answer") != 1 {
			t.Errorf("the world did not see the answer")
		}
		if err := tn.chat.SettleQuestion(t.Context(), d, q, "choice 2"); err != nil {
			t.Fatal(err)
		}
		if tn.slack.Choose(t.Context(), "U0KIM", d.Channel, d.TS, action, value) == nil {
			t.Error("an answered question can be answered again")
		}
	}
}

func TestTheSlashCommandIsAnsweredPrivately(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	if err := tn.slack.Command(t.Context(), "U0KIM", tn.creds.Channel, "hold"); err != nil {
		t.Fatal(err)
	}
	tn.awaitPrivate(t, "U0KIM", "U0KIM asked hold")
}
