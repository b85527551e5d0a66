package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// underGrant makes a call that people signed. The row is committed as started before anything is sent.
func (h *House) underGrant(ctx context.Context, a Action, in In) (wire.Result, error) {
	rows, err := h.DB.Calls(ctx, in.Run)
	if err != nil {
		return wire.Result{}, err
	}
	row, sent := find(rows, callID(*in.Grant, in.Step))
	switch {
	case sent && row.State == database.CallDone:
		return receipt(row.Receipt)
	case sent && row.State == database.CallFailed:
		return wire.Result{}, refuse(wire.ErrDrifted, "this call failed under its sign-off, which is used up for it; what remains is asked anew")
	}
	if why, err := h.restoredSince(ctx, in.Grant.Envelope.Issued); err != nil {
		return wire.Result{}, err
	} else if why != "" {
		return wire.Result{}, refuse(wire.ErrDrifted, why)
	}
	e, err := a.DryRun(ctx, h, in)
	if err != nil {
		return wire.Result{}, err
	}
	if err := h.verify(ctx, a, in, e, rows, sent); err != nil {
		return wire.Result{}, err
	}
	if sent {
		return h.again(ctx, a, in, e, row)
	}
	row, fresh, err := h.DB.BeginCall(ctx, database.CallRow{
		ID: callID(*in.Grant, in.Step), Run: in.Run, Request: in.Grant.Request, Step: in.Step, Action: a.Card.Name, Target: e.Target,
		Digest: inputsDigest(in), StartedAt: h.Now(),
	})
	if err != nil {
		return wire.Result{}, fmt.Errorf("the intent could not be written down, so nothing was called: %w", err)
	}
	if !fresh {
		return wire.Result{}, retryable("under_way", "another attempt at this call has begun in this moment; its outcome is looked at first")
	}
	return h.send(ctx, a, in, e, row)
}

// again decides about a call that was begun and whose answer was lost: in its end state it is done, unchanged and
// repeatable it is sent again under the same row, and anything else is for a person.
func (h *House) again(ctx context.Context, a Action, in In, now Entry, row database.CallRow) (wire.Result, error) {
	if a.Landed != nil {
		out, arrived, err := a.Landed(ctx, h, in, now, signedState(in))
		if err != nil {
			return wire.Result{}, err
		}
		if arrived {
			res, err := h.arrived(ctx, a, in, out)
			if err != nil {
				return wire.Result{}, err
			}
			return res, h.finishCall(ctx, row.ID, res)
		}
	}
	if !now.Done && (!a.Card.Repeat || !maps.Equal(now.State, signedState(in))) {
		return wire.Result{}, refuse(wire.ErrUnknown, fmt.Sprintf("%s was sent before and its answer was lost; look at %s by hand", a.Card.Name, now.Target))
	}
	return h.send(ctx, a, in, now, row)
}

// send makes the call and keeps its receipt.
func (h *House) send(ctx context.Context, a Action, in In, e Entry, row database.CallRow) (wire.Result, error) {
	if e.Nothing != "" {
		res := wire.Result{Outputs: map[string]any{"summary": e.Nothing}, Summary: e.Nothing}
		return res, h.finishCall(ctx, row.ID, res)
	}
	var res wire.Result
	var err error
	if p, _ := signedCall(in); p.Effect == signoff.EffectUndoable {
		res, err = h.undoably(ctx, a, in, e)
	} else {
		var out Output
		out, err = a.Run(ctx, h, in)
		res = result(out, "")
		res.Already = e.Done
	}
	if err != nil {
		return wire.Result{}, h.failCall(ctx, row.ID, err)
	}
	return res, h.finishCall(ctx, row.ID, res)
}

// failCall closes the row of a call that was answered with a no. Where the answer was lost the row stays started.
func (h *House) failCall(ctx context.Context, id string, cause error) error {
	if !keys.IsPermanent(cause) {
		return cause
	}
	raw, err := json.Marshal(map[string]string{"error": cause.Error()})
	if err == nil {
		err = h.DB.FinishCall(ctx, id, database.CallFailed, raw)
	}
	return errors.Join(cause, err)
}

func (h *House) finishCall(ctx context.Context, id string, res wire.Result) error {
	raw, err := json.Marshal(res)
	if err != nil {
		return err
	}
	return h.DB.FinishCall(ctx, id, database.CallDone, raw)
}

// verify is the check that no other code can skip: it believes the grant's signatures, our own public keys, our own
// records, and the target as it is now.
func (h *House) verify(ctx context.Context, a Action, in In, e Entry, rows []database.CallRow, sent bool) error {
	info := activity.GetInfo(ctx)
	check := signoff.CallCheck{
		Now: h.Now(), World: h.World, Installation: h.Installation, Run: in.Run, WorkflowID: info.WorkflowExecution.ID,
		Step: in.Step, Action: a.Card.Name, CardHash: playbooks.CardHash(a.Card), Effect: a.effectOn(e),
		Inputs: in.With, Target: e.Target, State: e.State, Started: firstCall(rows, in.Grant.Request),
		Earlier: earlier(rows, in.Grant.Request),
	}
	if e.Done || sent {
		// Our own call, or somebody who was faster, has moved the target already: what was signed is what holds.
		if p, ok := signedCall(in); ok && p.State != nil {
			check.State = p.State
			if p.Effect == a.Card.Effect || a.Card.Undo != "" {
				check.Effect = p.Effect
			}
		}
	}
	if _, ref := in.Grant.Allows(check, h.Trusted); ref != nil {
		h.ledger(ctx, in.Run, "grant.refused", in.Step, "grant/"+in.Step+"/"+callID(*in.Grant, in.Step)+"/"+ref.Code,
			map[string]any{"code": ref.Code, "why": ref.Why, "request": in.Grant.Request})
		return refuse(kindOf(ref.Code), ref.Why)
	}
	if policy, err := h.Policy.Digest(); err != nil || policy != in.Grant.Envelope.PolicyHash {
		return refuse(wire.ErrDrifted, "the policy has changed since people were asked")
	}
	return h.stillEligible(ctx, *in.Grant, rows)
}

// kindOf is how the workflow goes on after a refusal: what people can mend by looking again is asked anew.
func kindOf(code string) string {
	switch code {
	case signoff.Drifted, signoff.ExpiredCode:
		return wire.ErrDrifted
	case signoff.LapsedCode:
		return wire.ErrLapsed
	}
	return wire.ErrRefused
}

// callID is made of nonce and step path (which carries the loop item).
func callID(g signoff.Grant, step string) string {
	sum := sha256.Sum256([]byte("tourniquet/call/v1\n" + g.Envelope.Nonce + "\n" + step))
	return "call-" + hex.EncodeToString(sum[:12])
}

func inputsDigest(in In) string {
	digest, err := signoff.HashJSON("tourniquet/inputs/v1", in.With)
	if err != nil {
		return "unhashable: " + err.Error()
	}
	return digest
}

func find(rows []database.CallRow, id string) (database.CallRow, bool) {
	for _, r := range rows {
		if r.ID == id {
			return r, true
		}
	}
	return database.CallRow{}, false
}

func firstCall(rows []database.CallRow, request string) (first time.Time) {
	for _, r := range rows {
		if r.Request == request && (first.IsZero() || r.StartedAt.Before(first)) {
			first = r.StartedAt
		}
	}
	return first
}

// earlier reads outputs from the receipts of the same request.
func earlier(rows []database.CallRow, request string) func(step, output string) (any, bool) {
	return func(step, output string) (any, bool) {
		for _, r := range rows {
			if r.Request != request || r.Step != step || r.State != "done" {
				continue
			}
			res, err := receipt(r.Receipt)
			if err != nil {
				return nil, false
			}
			v, ok := res.Outputs[output]
			return v, ok
		}
		return nil, false
	}
}

func receipt(raw json.RawMessage) (wire.Result, error) {
	var res wire.Result
	err := json.Unmarshal(raw, &res)
	return res, err
}
