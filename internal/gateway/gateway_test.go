package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestAStrangerIsRefusedAndTheAttemptIsWrittenDown(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	text, ok := r.Press(context.Background(), chat.Press{User: "UEVE", Request: "req-1", Verb: signoff.Approve, Digest: r.view.Digest, Delivery: shown})
	if ok || !strings.Contains(text, "not listed under people") {
		t.Errorf("a stranger heard %q, accepted %v", text, ok)
	}
	tries := r.attempts(t, "req-1")
	if len(tries) != 1 || tries[0].Person != "slack:UEVE" || tries[0].Accepted || tries[0].Code != signoff.NotEligible || len(r.runs.offers()) != 0 {
		t.Errorf("attempts %+v, %d offers", tries, len(r.runs.offers()))
	}
}

func TestEveryAttemptIsInTheLedgerBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	early := make(chan int, 2)
	r.runs.seen = func() {
		one, err1 := r.db.Attempts(ctx, "req-1")
		two, err2 := r.db.Attempts(ctx, "q-1")
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
		}
		early <- len(one) + len(two)
	}
	if a := r.Do(ctx, r.approve("ann", "console")); !a.Accepted || <-early != 1 {
		t.Errorf("the run was asked before the attempt was written down: %+v", a)
	}
	if a := r.Do(ctx, gateway.Act{Person: "ann", Surface: "cli", Request: "q-1", Verb: wire.VerbAnswer, Answer: "yes"}); !a.Accepted || <-early != 2 {
		t.Errorf("the run was given an answer before it was written down: %+v", a)
	}
	if a := r.Do(ctx, r.approve("sam", "console")); a.Accepted || len(r.attempts(t, "req-1")) != 2 {
		t.Errorf("a refusal was said and not written down: %+v", a)
	}
	must(t, r.db.CheckLedger(ctx, "run-1"))
}

func TestAButtonOnAMessageWeNeverSentDecidesNothing(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	must(t, r.db.AddDelivery(ctx, "req-2", "C1", "2.2", "slack"))
	for name, from := range map[string]chat.Delivery{"unknown": {Channel: "C1", TS: "9.9"}, "other channel": {Channel: "C2", TS: "1.1"},
		"card of another request": {Channel: "C1", TS: "2.2"}, "none": {}} {
		text, ok := r.Press(ctx, chat.Press{User: "UANN", Request: "req-1", Verb: signoff.Approve, Digest: r.view.Digest, Delivery: from})
		if ok || !strings.Contains(text, "not on a message that Tourniquet knows") {
			t.Errorf("%s: %q, %v", name, text, ok)
		}
	}
	if tries := r.attempts(t, "req-1"); len(tries) == 0 || tries[0].Code != signoff.WrongRequest || len(r.runs.offers()) != 0 {
		t.Errorf("attempts %+v, %d offers", tries, len(r.runs.offers()))
	}
}

func TestATapThatIsFasterThanOurOwnRecordCounts(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, ok := r.Press(ctx, chat.Press{User: "UANN", Request: "req-1", Verb: signoff.Approve, Digest: r.view.Digest, Delivery: chat.Delivery{Channel: "C1", TS: "3.3"}})
		if !ok {
			t.Errorf("it was refused: %q", text)
		}
	}()
	must(t, r.db.AddDelivery(ctx, "req-1", "C1", "3.3", "slack"))
	<-done
}

func TestTheExcludedOwnerIsRefusedOnEverySurface(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	for _, surface := range []string{"console", "cli", "slack"} {
		if a := r.Do(ctx, r.approve("sam", surface)); a.Accepted || a.Code != signoff.ExcludedCode {
			t.Errorf("%s: %+v", surface, a)
		}
	}
	press := chat.Press{User: "USAM", Request: "req-1", Verb: signoff.Approve, Digest: r.view.Digest, Delivery: shown}
	if text, ok := r.Press(ctx, press); ok || !strings.Contains(text, "may not decide") {
		t.Errorf("a press: %q, %v", text, ok)
	}
	if n := len(r.runs.offers()); n != 0 {
		t.Errorf("%d decisions of an excluded person reached the run", n)
	}
}

func TestARequestOfAnotherWorldIsRefused(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	v := r.view
	v.Request, v.Envelope.World = "req-drill", "drill"
	v.Digest = got[string](t)(signoff.Digest(v.Envelope))
	must(t, r.db.PutRequest(ctx, v))
	act := r.approve("ann", "cli")
	act.Request, act.Digest = v.Request, v.Digest
	if a := r.Do(ctx, act); a.Accepted || a.Code != signoff.WrongRequest || !strings.Contains(a.Text, "drill") {
		t.Errorf("%+v", a)
	}
	if tries := r.attempts(t, "req-drill"); len(tries) != 1 || len(r.runs.offers()) != 0 {
		t.Errorf("attempts %+v, %d offers", tries, len(r.runs.offers()))
	}
}

func TestTheSignedDecisionCarriesTheMembershipThatWasSeen(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	if a := r.Do(ctx, r.approve("ann", "slack")); !a.Accepted {
		t.Fatalf("%+v", a)
	}
	d := r.runs.offers()[0].Args[0].(wire.Decide).Decision
	if !slices.Equal(d.Groups, []string{"secops"}) || !d.SeenAt.Equal(noon.Add(time.Minute)) || d.Person != "ann" || d.Name != "ann of Acme" {
		t.Errorf("signed %+v", d)
	}
	if ref := signoff.Verify(d, r.view.Envelope.PublicKeys); ref != nil {
		t.Errorf("the signature does not hold: %v", ref)
	}
	var kept signoff.Decision
	must(t, json.Unmarshal(r.attempts(t, "req-1")[0].Decision, &kept))
	view := got[signoff.View](t)(r.db.Request(ctx, "req-1"))
	if kept.Sig != d.Sig || len(view.Decided) != 1 || view.Filled != 1 || <-r.slack.settled != shown {
		t.Errorf("kept %+v, shown %+v", kept, view)
	}
}

func TestAGuestABotAndADeletedUserMayNeverDecide(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for person, why := range map[string]string{"guest": "guest", "bot": "bot", "gone": "deleted"} {
		if a := r.Do(context.Background(), r.approve(person, "console")); a.Accepted || a.Code != signoff.NotEligible || !strings.Contains(a.Text, why) {
			t.Errorf("%s: %+v", person, a)
		}
	}
	if n := len(r.attempts(t, "req-1")); n != 3 || len(r.runs.offers()) != 0 {
		t.Errorf("%d attempts, %d offers", n, len(r.runs.offers()))
	}
}

func TestHoldFromSlackNeedsAReason(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	held := func() bool { on, _, _, err := r.db.Hold(ctx); must(t, err); return on }
	for user, text := range map[string]string{"UANN": "hold on", "USAM": "hold on   ", "UEVE": "hold on a flood", "UOLGA": "hold maybe a flood"} {
		if answer := r.Command(ctx, user, text); held() || answer == "" {
			t.Errorf("%q of %s holds: %q", text, user, answer)
		}
	}
	r.Command(ctx, "UANN", "hold on a flood of alerts")
	on, who, why, err := r.db.Hold(ctx)
	if must(t, err); !on || who != "ann" || why != "a flood of alerts" {
		t.Errorf("hold %v by %q: %q", on, who, why)
	}
	if r.Command(ctx, "UANN", "hold off"); !held() {
		t.Error("a hold ended without a reason")
	}
	if r.Command(ctx, "UANN", "hold off it is over"); held() {
		t.Error("the hold never ends")
	}
}

func TestAnAnswerToAQuestionNeedsMembership(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	act := gateway.Act{Person: "olga", Surface: "cli", Request: "q-1", Verb: wire.VerbAnswer, Answer: "no"}
	if a := r.Do(ctx, act); a.Accepted || a.Code != signoff.NotEligible || !strings.Contains(a.Text, "secops") {
		t.Errorf("no member of the group: %+v", a)
	}
	if tries := r.attempts(t, "q-1"); len(tries) != 1 || tries[0].Accepted || len(r.runs.offers()) != 0 {
		t.Errorf("attempts %+v, %d offers", tries, len(r.runs.offers()))
	}
	act.Person = "ann"
	if a := r.Do(ctx, act); !a.Accepted || !strings.Contains(a.Text, "no") {
		t.Errorf("a member: %+v", a)
	}
	o := r.runs.offers()[0]
	d := o.Args[0].(wire.Answer).Decision
	want := wire.QuestionDigest(wire.Question{ID: "q-1", Prompt: "Abuse?", Choices: []string{"yes", "no"}})
	if o.UpdateName != wire.UpdateAnswer || o.WorkflowID != "inc-1" || d.Digest != want || d.Reason != "no" || signoff.Verify(d, r.Signer.PublicKeys()) != nil {
		t.Errorf("offered %+v", o)
	}
	if tries := r.attempts(t, "q-1"); len(tries) != 2 || !tries[1].Accepted {
		t.Errorf("attempts %+v", tries)
	}
}
