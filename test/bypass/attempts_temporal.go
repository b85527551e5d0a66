package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// throughTemporal goes straight through a client with access to the namespace, and from the third on with the
// installation's key ring in hand, too.
func throughTemporal() []attempt {
	const door = "temporal client"
	return []attempt{
		{door: door, name: "a signal by the name of the update", do: rawSignal, code: "unknown_signal", entry: "signal.refused"},
		{door: door, name: "an update that is not encrypted", do: plainUpdate, code: "undecodable", unseen: true},
		{door: door, name: "decisions signed with a key of one's own", check: "signature", do: ownKey, code: signoff.BadSignature},
		{door: door, name: "a genuine decision made that of another person", do: otherName, code: signoff.BadSignature},
		{door: door, name: "a genuine decision about another sign-off", do: otherRequest, code: signoff.WrongRequest},
		{door: door, name: "a genuine decision a second time, as a new update", do: secondUpdate, code: signoff.AlreadyCounted},
		{door: door, name: "an answer to no question", do: noQuestion, code: signoff.ClosedCode},
		{door: door, name: "a reset of a run that has one of two approvals", check: "reset", do: reset, code: signoff.ClosedCode, told: "nobody can decide it any more",
			entry: "run.reset_refused", mend: (*kase).afterReset},
		{door: door, name: "a run terminated and started again under its id", do: startedAgain, code: signoff.ClosedCode, told: "the run has ended",
			entry: "code:wrong_execution", mend: (*kase).afterTermination},
		{door: door, name: "a run started beside ours, for our run's records", do: besideOurs(nil), code: "wrong_execution"},
		{door: door, name: "the same with a program that asks nobody", do: besideOurs(func(s *wire.Start) { s.Program.Steps[0].Signoff = nil }), code: "wrong_execution"},
		{door: door, name: "the same with a policy and public keys of one's own", do: besideOurs(func(s *wire.Start) {
			s.Policy.Final.Seats, s.PublicKeys = []signoff.Seat{{Group: "secops", Count: 1}}, map[string]string{"mine": "bWluZQ=="}
		}), code: "wrong_execution"},
		{door: door, name: "a run started for no run of ours", do: besideOurs(func(s *wire.Start) { s.Run.ID = "run-of-nobody" }), code: "no_run", unseen: true},
	}
}

func rawSignal(ctx context.Context, c *kase) (heard, error) {
	err := c.raw.SignalWorkflow(ctx, c.workflow, "", wire.UpdateDecide, map[string]any{"request": c.view.Request, "decision": "approve"})
	if err != nil {
		return heard{}, err
	}
	_, err = c.seen(ctx, attempt{code: "unknown_signal"})
	return heard{code: "unknown_signal"}, err
}

// update sends one straight to the run and says what became of it.
func (c *kase) update(ctx context.Context, by client.Client, id, name string, arg any) (heard, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	h, err := by.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{UpdateID: id, WorkflowID: c.workflow, UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted})
	var reply wire.Reply
	if err == nil {
		err = h.Get(ctx, &reply)
	}
	var app *temporal.ApplicationError
	switch {
	case err != nil && by == c.raw: // whoever has no keys is not even understood
		return heard{"undecodable", err.Error()}, nil
	case errors.As(err, &app):
		return heard{app.Type(), app.Message()}, nil
	case err != nil:
		return heard{}, err
	case reply.Accepted:
		return heard{accepted, fmt.Sprint(reply)}, nil
	}
	return heard{reply.Code, reply.Why}, nil
}

func (c *kase) decideRaw(ctx context.Context, id string, d signoff.Decision) (heard, error) {
	return c.update(ctx, c.ring, id, wire.UpdateDecide, wire.Decide{Request: c.view.Request, Decision: d})
}

func plainUpdate(ctx context.Context, c *kase) (heard, error) {
	return c.update(ctx, c.raw, "plain", wire.UpdateDecide, wire.Decide{Request: c.view.Request, Decision: signoff.Decision{Person: "ana", Verb: signoff.Approve}})
}

// forged is an approval that says all the right things, under the name of our key and signed with another.
func (c *kase) forged(person string) (signoff.Decision, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return signoff.Decision{}, err
	}
	id := ""
	for id = range c.view.Envelope.PublicKeys {
		break
	}
	now := time.Now()
	return signoff.Sign(signoff.Decision{Request: c.view.Request, Digest: c.view.Digest, Person: person, Name: person, Verb: signoff.Approve,
		Groups: []string{"secops"}, SeenAt: now.Add(-time.Second), At: now, Surface: "slack"}, id, private)
}

func ownKey(ctx context.Context, c *kase) (got heard, err error) {
	for _, person := range []string{"ana", "bo"} {
		d, err := c.forged(person)
		if err != nil {
			return got, err
		}
		if got, err = c.decideRaw(ctx, "forged-"+person, d); err != nil {
			return got, err
		}
	}
	return got, nil
}

// genuine is the signed decision that somebody made about the case's request.
func (c *kase) genuine(ctx context.Context, person string) (d signoff.Decision, err error) {
	_, all, err := c.now(ctx)
	for _, a := range all {
		if a.Person == person && a.Accepted {
			err = json.Unmarshal(a.Decision, &d)
		}
	}
	if err == nil && d.Sig == "" {
		err = fmt.Errorf("%s has made no decision", person)
	}
	return d, err
}

func otherName(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	d, err := c.genuine(ctx, "ana")
	if err != nil {
		return heard{}, err
	}
	d.Person, d.Name = "bo", "Bo"
	return c.decideRaw(ctx, "renamed", d)
}

func otherRequest(ctx context.Context, c *kase) (heard, error) {
	other, err := c.begin(ctx, "end-key")
	if err != nil {
		return heard{}, err
	}
	if err := other.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	d, err := other.genuine(ctx, "ana")
	if err != nil {
		return heard{}, err
	}
	got, err := c.decideRaw(ctx, "moved", d)
	return got, errors.Join(err, other.rightly(ctx, 0))
}

func secondUpdate(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	d, err := c.genuine(ctx, "ana")
	if err != nil {
		return heard{}, err
	}
	return c.decideRaw(ctx, "once-more", d)
}

func noQuestion(ctx context.Context, c *kase) (heard, error) {
	d, err := c.forged("ana")
	if err != nil {
		return heard{}, err
	}
	return c.update(ctx, c.ring, "answer", wire.UpdateAnswer, wire.Answer{Question: "q-none", Decision: d})
}

// start is the input that the run was really started with, which only the key ring opens.
func (c *kase) start(ctx context.Context) (s wire.Start, err error) {
	it := c.ring.GetWorkflowHistory(ctx, c.workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	event, err := it.Next()
	if err != nil {
		return s, err
	}
	return s, c.converter.FromPayloads(event.GetWorkflowExecutionStartedEventAttributes().GetInput(), &s)
}

// besideOurs starts the program of ours as a workflow of one's own and waits for its end.
func besideOurs(bend func(*wire.Start)) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		in, err := c.start(ctx)
		if err != nil {
			return heard{}, err
		}
		if bend != nil {
			bend(&in)
		}
		return c.launch(ctx, "evil-"+c.key.ID, in)
	}
}

// launch starts the workflow and says with which code the ledger refused what it asked for; without such an entry, how it ended.
func (c *kase) launch(ctx context.Context, id string, in wire.Start) (heard, error) {
	we, err := c.ring.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: wire.TaskQueue, WorkflowTaskTimeout: 2 * time.Second,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE}, wire.Respond, in)
	if err != nil {
		return heard{}, err
	}
	wait, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var ended wire.Ended
	err = we.Get(wait, &ended)
	why := fmt.Sprint(ended, err)
	if seq, lost := c.ledger(ctx, "wrong_execution", ""); lost != nil || seq > 0 {
		return heard{"wrong_execution", why}, lost
	}
	if err != nil {
		return heard{"no_run", why}, nil
	}
	return heard{accepted, why}, nil
}
