package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// execute is the one way to every action.
func (h *House) execute(ctx context.Context, call wire.Call) (wire.Result, error) {
	defer beat(ctx)()
	a, err := h.action(call.Action)
	if err != nil {
		return wire.Result{}, refuse(wire.ErrPermanent, err.Error())
	}
	if err := h.own(ctx, call); err != nil {
		return wire.Result{}, wrap(err)
	}
	ctx, end := h.trace(ctx, a, call)
	defer end()
	started := h.Now()
	h.showRunning(ctx, a, call, started)
	res, err := h.perform(ctx, a, In{call})
	if err == nil {
		err = h.untilHolds(call, res)
	}
	kept := h.keep(ctx, a, call, res, err, started)
	if err == nil && !a.changes() {
		err = kept // it may be repeated, so it is; what changed something is guarded by its own rows
	}
	return res, wrap(err)
}

func (h *House) trace(ctx context.Context, a Action, call wire.Call) (context.Context, func()) {
	if h.Trace == nil {
		return ctx, func() {}
	}
	return h.Trace(ctx, "action "+a.Card.Name, "run", call.Run, "step", call.Step, "action", a.Card.Name, "effect", a.Card.Effect)
}

// perform chooses the road by effect. There is no other road to Run.
func (h *House) perform(ctx context.Context, a Action, in In) (wire.Result, error) {
	if !a.changes() {
		out, err := a.Run(ctx, h, in)
		return result(out, ""), err
	}
	run, err := h.DB.Run(ctx, in.Run)
	if err != nil {
		return wire.Result{}, fmt.Errorf("the run's record could not be read: %w", err)
	}
	if run.Mode != incident.ModeEnforce {
		return wire.Result{}, refuse(wire.ErrObserve, "this run is in mode observe: nothing undoable or final is done")
	}
	if in.Grant != nil {
		return h.underGrant(ctx, a, in)
	}
	if a.Card.Effect == signoff.EffectFinal {
		return wire.Result{}, h.refuseCall(ctx, in.Call, "no_signoff", fmt.Sprintf("%s is final and came without a sign-off", a.Card.Name))
	}
	return h.automatic(ctx, a, in, run)
}

// automatic makes an undoable call that policy lets run by itself.
func (h *House) automatic(ctx context.Context, a Action, in In, run incident.Run) (wire.Result, error) {
	e, err := a.DryRun(ctx, h, in)
	if err != nil {
		return wire.Result{}, err
	}
	if e.Nothing != "" {
		return wire.Result{Outputs: map[string]any{"summary": e.Nothing}, Summary: e.Nothing}, nil
	}
	if why, err := h.mayRunAlone(ctx, a, in, run, e); err != nil {
		return wire.Result{}, err
	} else if why != "" {
		return wire.Result{}, refuse(wire.ErrNeedsSignoff, why)
	}
	return h.undoably(ctx, a, in, e)
}

// mayRunAlone asks hold, policy and the automatic limit, in this order; the answer is why not.
func (h *House) mayRunAlone(ctx context.Context, a Action, in In, run incident.Run, e Entry) (string, error) {
	on, who, reason, err := h.DB.Hold(ctx)
	if err != nil {
		return "", err
	}
	if on {
		return fmt.Sprintf("automatic actions are on hold since %s said: %s", who, reason), nil
	}
	if run.Key == nil {
		return "the run has no identified key", nil
	}
	k := h.known(*run.Key)
	if of, err := in.Key(a.Card.TargetInput); err == nil && of.Target() != k.Target() {
		return fmt.Sprintf("the call is about the key %s and the run about %s", of.Target(), k.Target()), nil
	}
	_, known := h.provider(k)
	if ok, why := h.Policy.Auto(signoff.AutoInput{Trust: run.Trust, KeyCritical: k.Critical, KeyKnown: known == nil, Reach: e.Reach}); !ok {
		return why, nil
	}
	limit := h.Policy.AutoLimit
	ok, err := h.DB.ClaimAuto(ctx, in.Run, h.Now(), limit.Runs, time.Duration(limit.Per))
	if err != nil || ok {
		return "", err
	}
	return fmt.Sprintf("more than %d runs contained by themselves within %s", limit.Runs, time.Duration(limit.Per)), nil
}

// undoably makes a call whose way back is written down first.
func (h *House) undoably(ctx context.Context, a Action, in In, e Entry) (wire.Result, error) {
	forget, undo := func(err error) error { return err }, a.Card.Undo
	if e.LeavesNothing {
		undo = ""
	}
	if undo != "" {
		var err error
		if forget, err = h.keepUndo(ctx, a, in, e); err != nil {
			return wire.Result{}, fmt.Errorf("the way back could not be written down, so nothing was called: %w", err)
		}
	}
	out, err := a.Run(ctx, h, in)
	if err != nil {
		return wire.Result{}, forget(err)
	}
	if undo != "" && out.Left != nil {
		if err := h.DB.SetUndoLeft(ctx, in.Run, in.Step, out.Target, out.Left); err != nil {
			return wire.Result{}, err
		}
	}
	res := result(out, undo)
	res.Already = e.Done
	return res, nil
}

func result(out Output, undo string) wire.Result {
	if out.Values == nil {
		out.Values = map[string]any{}
	}
	return wire.Result{Outputs: out.Values, Summary: out.Summary, Undo: undo, UsedUp: out.UsedUp, Request: out.Request}
}

// untilHolds evaluates the step's until over what came back; not yet is an error that is retried at its pace.
func (h *House) untilHolds(call wire.Call, res wire.Result) error {
	if call.Until == "" {
		return nil
	}
	ok, err := playbooks.Eval(call.Until, map[string]any{"result": res.Outputs}, h.Now())
	if err != nil {
		return refuse(wire.ErrPermanent, "until: "+err.Error())
	}
	if ok == true {
		return nil
	}
	return temporal.NewApplicationError("not yet: "+res.Summary, wire.ErrNotYet)
}

// refuse is an error that no retry mends, with the kind by which the workflow decides.
func refuse(kind, why string) error { return temporal.NewNonRetryableApplicationError(why, kind, nil) }

// retryable is an error of its own kind that a retry may mend.
func retryable(kind, why string) error { return temporal.NewApplicationError(why, kind) }

// wrap gives an action's error the form that travels: a sentence and whether a retry can help.
func wrap(err error) error {
	var app *temporal.ApplicationError
	switch {
	case err == nil, errors.As(err, &app):
		return err
	case keys.IsPermanent(err):
		return refuse(wire.ErrPermanent, err.Error())
	default:
		return retryable("retryable", err.Error())
	}
}

// beat tells Temporal that the worker lives while an action runs; local activities have nobody to tell.
func beat(ctx context.Context) (stop func()) {
	if activity.GetInfo(ctx).IsLocalActivity {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(done) }
}
