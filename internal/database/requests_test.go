package database_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func view() signoff.View {
	return signoff.View{Request: "rq-1", Digest: "d", State: signoff.StateOpen, Title: "Revoke",
		Envelope: signoff.Envelope{Run: "run-1", Step: "revoke", Expires: noon(), Calls: []signoff.PlannedCall{
			{Action: "key.revoke", Inputs: map[string]any{"n": 3, "text": "<x>"}}}}}
}

func TestARequestStaysFrozenWhileItsStateMoves(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	must(t, d.PutRequest(ctx, view()))
	other := view()
	other.Title = "something else"
	must(t, d.PutRequest(ctx, other))
	must(t, d.SetRequest(ctx, "rq-1", func(v *signoff.View) error { v.State, v.Filled = signoff.StateQuorum, 2; return nil }))
	if err := d.SetRequest(ctx, "rq-1", func(v *signoff.View) error { v.Envelope.Calls[0].Target = "k2"; return nil }); err == nil {
		t.Error("the envelope was changed")
	}
	stop := errors.New("stop")
	if err := d.SetRequest(ctx, "rq-1", func(v *signoff.View) error { v.State = "x"; return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	v := got[signoff.View](t)(d.Request(ctx, "rq-1"))
	if v.Title != "Revoke" || v.State != signoff.StateQuorum || v.Filled != 2 || !v.Envelope.Expires.Equal(noon()) {
		t.Errorf("view %+v", v)
	}
	if open := got[[]signoff.View](t)(d.Requests(ctx, "run-1", true)); len(open) != 1 {
		t.Errorf("%d open", len(open))
	}
	must(t, d.SetRequest(ctx, "rq-1", func(v *signoff.View) error { v.State = signoff.StateDone; return nil }))
	if open := got[[]signoff.View](t)(d.Requests(ctx, "", true)); len(open) != 0 {
		t.Errorf("%d open after it was done", len(open))
	}
}

func TestEveryAttemptIsInTheLedgerToo(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	a := database.Attempt{Request: "rq-1", Person: "ada", Verb: signoff.Approve, Surface: "slack", Code: signoff.NotEligible,
		Why: "not in the group", At: noon(), Decision: json.RawMessage(`{"sig":"x"}`)}
	if err := d.RecordAttempt(ctx, a); !database.IsNotFound(err) {
		t.Fatalf("attempt on nothing: %v", err)
	}
	must(t, d.PutRequest(ctx, view()))
	must(t, d.RecordAttempt(ctx, a))
	must(t, d.RecordAttempt(ctx, a))
	b := a
	b.Accepted, b.At = true, noon().Add(time.Second)
	must(t, d.RecordAttempt(ctx, b))
	b.ID = "another press in the same microsecond"
	must(t, d.RecordAttempt(ctx, b))
	list := got[[]database.Attempt](t)(d.Attempts(ctx, "rq-1"))
	rows := got[[]database.LedgerRow](t)(d.Ledger(ctx, "run-1"))
	if len(list) != 3 || len(rows) != 3 || rows[0].Actor != "ada" || rows[0].Step != "revoke" || rows[0].Kind != database.KindAttempt {
		t.Errorf("attempts %+v, ledger %+v", list, rows)
	}
	must(t, d.CheckLedger(ctx, "run-1"))
}

func TestTheFirstAnswerWins(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	must(t, d.PutQuestion(ctx, database.Question{ID: "q", Run: "r", Kind: database.QuestionPark, Choices: []string{"retry", "stop"},
		Otherwise: "stop", Expires: noon()}))
	before := noon().Add(-time.Minute)
	if _, _, err := d.AnswerQuestion(ctx, "q", "nonsense", "ada", before); err == nil {
		t.Error("an answer that is no choice was taken")
	}
	if _, won, err := d.AnswerQuestion(ctx, "q", "retry", "ada", noon()); err != nil || won {
		t.Errorf("a late answer: %v, %v", won, err)
	}
	var winners atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, won, err := d.AnswerQuestion(ctx, "q", "retry", fmt.Sprint("p", i), before)
			if err != nil {
				t.Error(err)
			}
			if won {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	q := got[database.Question](t)(d.ExpireQuestion(ctx, "q", noon()))
	if winners.Load() != 1 || q.Answer != "retry" || q.By == "" {
		t.Errorf("%d winners, %+v", winners.Load(), q)
	}
	if open := got[[]database.Question](t)(d.Questions(ctx, "r", true)); len(open) != 0 {
		t.Errorf("open %+v", open)
	}
	if _, won, err := d.AnswerQuestion(ctx, "q", q.Answer, q.By, before); err != nil || !won {
		t.Errorf("the winner's repeat: %v, %v", won, err)
	}
}

func TestAMessageShowsOneRequest(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	must(t, d.AddDelivery(ctx, "rq-1", "C1", "1.2", "slack"))
	must(t, d.AddDelivery(ctx, "rq-1", "C1", "1.2", "slack"))
	if err := d.AddDelivery(ctx, "rq-2", "C1", "1.2", "slack"); err == nil {
		t.Error("one message shows two requests")
	}
	if id, found, err := d.DeliveryFor(ctx, "C1", "1.2"); err != nil || !found || id != "rq-1" {
		t.Errorf("%q %v %v", id, found, err)
	}
	if _, found, err := d.DeliveryFor(ctx, "C2", "1.2"); err != nil || found {
		t.Errorf("a message that is not ours: %v %v", found, err)
	}
	if all := got[[]database.Delivery](t)(d.Deliveries(ctx, "rq-1")); len(all) != 1 {
		t.Errorf("deliveries %+v", all)
	}
}

func TestNobodyIssuesATokenToThemselvesAndReplaysAreSeen(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	if err := d.PutToken(ctx, "ada", "h1", "ada"); err == nil {
		t.Error("ada issued a token to herself")
	}
	must(t, d.PutToken(ctx, "ada", "h1", "lee"))
	if p, found, err := d.PersonByToken(ctx, "h1"); err != nil || !found || p != "ada" {
		t.Errorf("%q %v %v", p, found, err)
	}
	future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for i, want := range []bool{false, true, true} {
		if seen := got[bool](t)(d.SeenBefore(ctx, "delivery-1", future)); seen != want {
			t.Errorf("look %d: %v", i, seen)
		}
	}
	if got[bool](t)(d.SeenBefore(ctx, "old", past)) || got[bool](t)(d.SeenBefore(ctx, "old", future)) {
		t.Error("a key outlived its time")
	}
	must(t, d.PutEvidence(ctx, incident.Evidence{ID: "ev", Run: "r", Digest: "sha256:0", At: noon()}))
	must(t, d.PutEvidence(ctx, incident.Evidence{ID: "ev", Run: "r", Digest: "sha256:1", At: noon()}))
	if all := got[[]incident.Evidence](t)(d.EvidenceOf(ctx, "r")); len(all) != 1 || all[0].Digest != "sha256:0" {
		t.Errorf("evidence %+v", all)
	}
}
