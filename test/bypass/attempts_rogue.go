package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

var errNotYet = errors.New("what was ordered has not ended")

// rogueWorkers poll our queues, or order calls from our worker.
func rogueWorkers() []attempt {
	const door = "rogue worker"
	return []attempt{
		{door: door, name: "a workflow of one's own orders a final call from our worker", do: ownWorkflow(false), code: "wrong_execution"},
		{door: door, name: "the same with a grant that people really gave", done: true, do: ownWorkflow(true), code: "wrong_execution"},
		{door: door, name: "it takes our run's next task and orders a final call", check: "effect", setup: leaked, do: takesTask, code: "no_signoff", told: "came without a sign-off",
			mend: (*kase).afterTakenTask},
		{door: door, name: "it answers the freezing with an envelope of its own", do: forgesFreeze, code: signoff.BadSignature, mend: (*kase).afterTermination},
		{door: door, name: "it says of the final call that it is done", do: forgesCall, code: "no_receipt", unseen: true, mend: (*kase).again},
	}
}

// revocation is the call that people would have to sign.
func (c *kase) revocation() wire.Call {
	key := map[string]any{"provider": "gemini", "account": "demo", "project": c.key.Project, "id": c.key.ID, "uid": c.key.UID, "hint": c.key.Hint(), "critical": false, "dependents": []any{}}
	return wire.Call{Run: c.run, Incident: c.workflow, Step: "revoke", Attempt: 1, Action: "key.revoke", With: map[string]any{"key": key}, At: time.Now()}
}

// ownWorkflow runs a worker and a workflow of its own, which orders the call on our queue; granted, with the grant of the case.
func ownWorkflow(granted bool) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		call := c.revocation()
		if granted {
			v, _, err := c.now(ctx)
			if err != nil {
				return heard{}, err
			}
			call.With = v.Envelope.Calls[0].Inputs
			call.Grant = &signoff.Grant{Request: v.Request, Envelope: v.Envelope, Decisions: v.Decided, QuorumAt: v.Decided[len(v.Decided)-1].At}
		}
		queue := "evil-" + c.key.ID
		w := worker.New(c.ring, queue, worker.Options{})
		w.RegisterWorkflowWithOptions(func(ctx workflow.Context, call wire.Call) error {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: wire.TaskQueue, StartToCloseTimeout: 10 * time.Second})
			return workflow.ExecuteActivity(ctx, call.Action, call).Get(ctx, nil)
		}, workflow.RegisterOptions{Name: "Evil"})
		if err := w.Start(); err != nil {
			return heard{}, err
		}
		defer w.Stop()
		we, err := c.ring.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: queue, TaskQueue: queue}, "Evil", call)
		if err != nil {
			return heard{}, err
		}
		wait, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		if err = we.Get(wait, nil); err == nil {
			return heard{code: accepted}, nil
		}
		_, lost := c.seen(ctx, attempt{code: "wrong_execution"})
		return heard{"wrong_execution", err.Error()}, lost
	}
}

// takesTask makes the run's next task go to whoever polls, and orders the deletion in the run's own name, without any grant.
func takesTask(ctx context.Context, c *kase) (heard, error) {
	if err := c.orders(ctx, c.revocation()); err != nil {
		return heard{}, err
	}
	why, err := c.ordered(ctx)
	if err != nil || why == "" {
		return heard{code: accepted}, err
	}
	_, err = c.seen(ctx, attempt{code: "no_signoff"})
	return heard{"no_signoff", why}, err
}

// afterTakenTask: the run's history holds what our program never did, so that an operator ends it and starts another.
func (c *kase) afterTakenTask(ctx context.Context) error {
	if err := c.raw.TerminateWorkflow(ctx, c.workflow, "", "its history is damaged"); err != nil {
		return err
	}
	c.playbook = "end-key"
	return c.afterTermination(ctx)
}

// forgesFreeze answers the freezing of a new run, in our worker's place, with an envelope that one person could fill, and signs
// for that person.
func forgesFreeze(ctx context.Context, c *kase) (heard, error) {
	if err := errors.Join(c.cancel(ctx), c.stale(ctx)); err != nil {
		return heard{}, err
	}
	c.World.Fault("slack", sandbox.FaultHang, 1000) // our worker waits for Slack in the middle of it
	err := c.startRun(ctx)
	if err == nil {
		var v signoff.View
		if v, err = c.forgedView(); err == nil {
			err = c.forge(ctx, wire.FreezeSignoff, v)
			c.view = v
		}
	}
	c.World.Mend("slack")
	if err != nil {
		return heard{}, err
	}
	return c.decideOwn(ctx)
}

func (c *kase) decideOwn(ctx context.Context) (got heard, err error) {
	d, err := c.forged("ana")
	if err != nil {
		return got, err
	}
	err = until(ctx, 10*time.Second, func() error { // until the run has opened the request
		if got, err = c.decideRaw(ctx, fmt.Sprint("own-", time.Now().UnixNano()), d); err == nil && got.code == signoff.ClosedCode {
			return errors.New("the run has not opened the forged request")
		}
		return final(err)
	})
	if e := (finalError{}); errors.As(err, &e) {
		err = e.error
	}
	return got, errors.Join(err, c.raw.TerminateWorkflow(ctx, c.workflow, "", "it waits for a request that we never made"))
}

func (c *kase) forgedView() (signoff.View, error) {
	e := c.view.Envelope
	e.Incident, e.WorkflowID, e.Run, e.Nonce = c.workflow, c.workflow, c.run, "mine"
	e.Rule = signoff.Rule{Seats: []signoff.Seat{{Group: "secops", Count: 1}}, Excluded: []string{}}
	e.Issued, e.Expires = time.Now().Add(-time.Minute).UTC(), time.Now().Add(time.Hour).UTC()
	digest, err := signoff.Digest(e)
	return signoff.View{Request: "so-forged-" + c.key.ID, Envelope: e, Digest: digest, Code: signoff.CheckCode(digest), State: signoff.StateOpen, Seats: 1}, err
}

// forgesCall says in our worker's place that the final call is done, while the worker waits for the provider.
func forgesCall(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	c.World.Fault("apikeys", sandbox.FaultHang, 1000)
	defer c.World.Mend("apikeys")
	if err := c.approve(ctx, "bo"); err != nil {
		return heard{}, err
	}
	if err := c.forge(ctx, "key.revoke", wire.Result{Outputs: map[string]any{"summary": "done, honestly"}, Summary: "done, honestly"}); err != nil {
		return heard{}, err
	}
	if err := c.state(ctx, signoff.StateDone); err != nil {
		return heard{}, err
	}
	var rows int
	err := c.db.QueryRowContext(ctx, `SELECT count(*) FROM calls WHERE run = ? AND state = 'done'`, c.run).Scan(&rows)
	if rows > 0 {
		return heard{code: accepted}, err
	}
	return heard{code: "no_receipt", told: "our records hold no receipt of that call"}, err
}
