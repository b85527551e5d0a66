package gateway_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.temporal.io/api/serviceerror"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestADecisionIsOfferedAgainUntilTheRunTakesIt(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.runs.fails = []error{serviceerror.NewUnavailable("no worker"), errors.New("connection refused"), context.DeadlineExceeded}
	if a := r.Do(context.Background(), r.approve("ann", "cli")); !a.Accepted || !strings.Contains(a.Text, "1 of 2 seats") {
		t.Errorf("%+v", a)
	}
	offers := r.runs.offers()
	if len(offers) != 4 {
		t.Fatalf("%d offers, want 3 that failed and one that did not", len(offers))
	}
	for _, o := range offers {
		if o.UpdateID != "req-1/ann/approve" || o.WorkflowID != "inc-1" || o.UpdateName != wire.UpdateDecide {
			t.Errorf("an offer differs, so that it could count twice: %+v", o)
		}
	}
	if n := len(r.attempts(t, "req-1")); n != 1 {
		t.Errorf("one decision is %d attempts", n)
	}
}

func TestWhoWasToldThatAPressIsKeptIsToldHowItEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply       wire.Reply
		title, line string
	}{
		"it counts":   {wire.Reply{Accepted: true, State: signoff.StateOpen, Filled: 1, Seats: 2}, "Your approval counts", "1 of 2 seats"},
		"it does not": {wire.Reply{Code: signoff.ExpiredCode, Why: "it expired while no worker ran"}, "Your approval does not count", "it expired while no worker ran"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.runs.reply = c.reply
			for range 7 { // 50 ms, and twice as long each time: more than a person is left waiting
				r.runs.fails = append(r.runs.fails, serviceerror.NewUnavailable("no worker"))
			}
			if a := r.Do(context.Background(), r.approve("ann", "slack")); !a.Accepted || !strings.Contains(a.Text, "it counts as soon as the run takes it") {
				t.Fatalf("meanwhile: %+v", a)
			}
			if n := <-r.slack.told; n.Person != "UANN" || n.Title != c.title || !strings.Contains(strings.Join(n.Lines, " "), c.line) || !strings.Contains(strings.Join(n.Lines, " "), "req-1") {
				t.Errorf("told: %+v", n)
			}
		})
	}
}

func TestARunThatAnswersAtOnceIsToldOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	if a := r.Do(context.Background(), r.approve("ann", "slack")); !a.Accepted {
		t.Fatalf("%+v", a)
	}
	r.Wait()
	if n := len(r.slack.told); n != 0 {
		t.Errorf("%d messages beside the answer", n)
	}
}

func TestARunThatRefusesIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	r.runs.reply = wire.Reply{Code: signoff.ExpiredCode, Why: "it expired"}
	if a := r.Do(ctx, r.approve("olga", "cli")); a.Accepted || a.Code != signoff.ExpiredCode {
		t.Errorf("refused: %+v", a)
	}
	view := got[signoff.View](t)(r.db.Request(ctx, "req-1"))
	if len(r.runs.offers()) != 1 || len(view.Decided) != 0 || len(r.attempts(t, "req-1")) != 2 {
		t.Errorf("%d offers, shown %+v", len(r.runs.offers()), view.Decided)
	}
}

func TestARequestWhoseRunIsGoneIsVoidAndLosesItsButtons(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	r.runs.fails = []error{serviceerror.NewNotFound("workflow execution already completed")}
	if a := r.Do(ctx, r.approve("ann", "cli")); a.Accepted || a.Code != signoff.ClosedCode {
		t.Errorf("ended: %+v", a)
	}
	view := got[signoff.View](t)(r.db.Request(ctx, "req-1"))
	if view.State != signoff.StateVoided || <-r.slack.settled != shown {
		t.Errorf("the request is %s", view.State)
	}
	if a := r.Do(ctx, r.approve("olga", "cli")); a.Accepted || a.Code != signoff.ClosedCode || len(r.runs.offers()) != 1 {
		t.Errorf("afterwards: %+v", a)
	}
	must(t, r.db.CheckLedger(ctx, "run-1"))
}

func TestWhatIsAboutNothingStandsInTheLedgerOfTheHouse(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	act := r.approve("ann", "cli")
	act.Request = strings.Repeat("x", 100_000)
	if a := r.Do(ctx, act); a.Accepted || a.Code != signoff.ClosedCode || len(a.Text) > 500 {
		t.Errorf("%+v", a)
	}
	act.Request, act.Verb = "q-9", wire.VerbAnswer
	_ = r.Do(ctx, act)
	rows := got[[]database.LedgerRow](t)(r.db.Ledger(ctx, database.HouseLedger))
	if len(rows) != 2 || rows[0].Actor != "ann" || len(rows[0].Body) > 1000 {
		t.Errorf("the ledger of the house is %+v", rows)
	}
	must(t, r.db.CheckLedger(ctx, database.HouseLedger))
}

func TestARefusalThatCannotBeWrittenDownIsNotSaid(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	raw := got[*sql.DB](t)(sql.Open("sqlite", "file:"+r.path))
	t.Cleanup(func() { must(t, raw.Close()) })
	_, err := raw.Exec(`CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
	must(t, err)
	for _, person := range []string{"ann", "sam"} {
		if a := r.Do(context.Background(), r.approve(person, "cli")); a.Accepted || a.Code != gateway.Unavailable || len(r.runs.offers()) != 0 {
			t.Errorf("%s: %+v", person, a)
		}
	}
}

func TestAClosedGatewayStopsOfferingAndLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	asked := make(chan struct{}, 100)
	r.runs.seen = func() { asked <- struct{}{} }
	for range 100 {
		r.runs.fails = append(r.runs.fails, serviceerror.NewUnavailable("no worker"))
	}
	done := make(chan gateway.Reply, 1)
	go func() { done <- r.Do(ctx, r.approve("ann", "cli")) }()
	<-asked
	r.Close()
	if a := <-done; !a.Accepted || !strings.Contains(a.Text, "kept") {
		t.Errorf("the person was told %+v", a)
	}
	tries := r.attempts(t, "req-1")
	if len(tries) != 1 || !tries[0].Accepted || len(tries[0].Decision) == 0 {
		t.Errorf("what is kept is %+v", tries)
	}
}

// leave writes a decision down as a process would that dies before the run takes it.
func leave(t *testing.T, r room, d signoff.Decision) signoff.Decision {
	t.Helper()
	d.Name, d.Groups, d.SeenAt, d.At, d.Surface = d.Person, []string{"secops"}, noon, noon, "slack"
	d = got[signoff.Decision](t)(signoff.Sign(d, r.Signer.ID, r.Signer.Private))
	raw := got[[]byte](t)(json.Marshal(d))
	must(t, r.db.RecordAttempt(context.Background(), database.Attempt{
		Request: d.Request, Person: d.Person, Verb: d.Verb, Surface: d.Surface, Accepted: true, At: noon, Decision: raw}))
	return d
}

func TestADecisionOfADeadProcessIsOfferedAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	d := leave(t, r, signoff.Decision{Request: "req-1", Digest: r.view.Digest, Person: "ann", Verb: signoff.Approve})
	must(t, r.db.RecordAttempt(ctx, database.Attempt{Request: "req-1", Person: "sam", Verb: signoff.Approve, Surface: "cli", At: noon, Code: signoff.ExcludedCode}))
	must(t, r.Resume(ctx))
	r.Wait()
	offers := r.runs.offers()
	if len(offers) != 1 || offers[0].Args[0].(wire.Decide).Decision.Sig != d.Sig || offers[0].UpdateID != "req-1/ann/approve" {
		t.Fatalf("offered %+v", offers)
	}
	if view := got[signoff.View](t)(r.db.Request(ctx, "req-1")); len(view.Decided) != 1 || view.Filled != 1 {
		t.Errorf("shown %+v", view)
	}
	must(t, r.Resume(ctx))
	r.Wait()
	if n := len(r.runs.offers()); n != 1 {
		t.Errorf("a decision that counted already was offered again: %d offers", n)
	}
}

func TestAnAnswerOfADeadProcessIsOfferedAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := leave(t, r, signoff.Decision{Request: "q-1", Digest: "sha256:x", Person: "ann", Verb: wire.VerbAnswer, Reason: "yes"})
	must(t, r.Resume(context.Background()))
	r.Wait()
	offers := r.runs.offers()
	if len(offers) != 1 || offers[0].WorkflowID != "inc-1" || offers[0].UpdateName != wire.UpdateAnswer ||
		offers[0].Args[0].(wire.Answer).Decision.Sig != d.Sig {
		t.Fatalf("offered %+v", offers)
	}
}
