package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// eligibleFor is how old a live look at people may be when a call is made.
const eligibleFor = time.Minute

// underGrant makes a call that people signed. The row is committed as started before anything is sent.
func (h *House) underGrant(ctx context.Context, a Action, in In) (wire.Result, error) {
	rows, err := h.DB.Calls(ctx, in.Run)
	if err != nil {
		return wire.Result{}, err
	}
	id := callID(*in.Grant, in.Step)
	if row, ok := find(rows, id); ok && row.State == "done" {
		return receipt(row.Receipt)
	}
	e, err := a.DryRun(ctx, h, in)
	if err != nil {
		return wire.Result{}, err
	}
	row, sent := find(rows, id)
	if err := h.verify(ctx, a, in, e, rows, sent); err != nil {
		return wire.Result{}, err
	}
	if sent && a.Landed != nil {
		out, arrived, err := a.Landed(ctx, h, in, e, signedState(in))
		if err != nil {
			return wire.Result{}, err
		}
		if arrived {
			res := result(out, "")
			res.Already = true
			return res, h.finishCall(ctx, row.ID, res)
		}
	}
	if sent && !e.Done && !a.Card.Repeat {
		return wire.Result{}, refuse(wire.ErrUnknown, fmt.Sprintf("%s was sent before and its answer was lost; look at %s by hand", a.Card.Name, e.Target))
	}
	if !sent {
		row, _, err = h.DB.BeginCall(ctx, database.CallRow{
			ID: id, Run: in.Run, Request: in.Grant.Request, Step: in.Step, Action: a.Card.Name, Target: e.Target,
			Digest: inputsDigest(in), StartedAt: h.Now(),
		})
		if err != nil {
			return wire.Result{}, fmt.Errorf("the intent could not be written down, so nothing was called: %w", err)
		}
	}
	return h.send(ctx, a, in, e, row)
}

// send makes the call and keeps its receipt.
func (h *House) send(ctx context.Context, a Action, in In, e Entry, row database.CallRow) (wire.Result, error) {
	if e.Nothing != "" {
		res := wire.Result{Outputs: map[string]any{"summary": e.Nothing}, Summary: e.Nothing}
		return res, h.finishCall(ctx, row.ID, res)
	}
	var res wire.Result
	var err error
	if a.Card.Effect == signoff.EffectUndoable {
		res, err = h.undoably(ctx, a, in, e)
	} else {
		var out Output
		out, err = a.Run(ctx, h, in)
		res = result(out, "")
		res.Already = e.Done
	}
	if err != nil {
		return wire.Result{}, err
	}
	return res, h.finishCall(ctx, row.ID, res)
}

func (h *House) finishCall(ctx context.Context, id string, res wire.Result) error {
	raw, err := json.Marshal(res)
	if err != nil {
		return err
	}
	return h.DB.FinishCall(ctx, id, "done", raw)
}

// verify is the check that no other code can skip: it believes the grant's signatures, our own public keys, our own
// record of the run, and the target as it is now.
func (h *House) verify(ctx context.Context, a Action, in In, e Entry, rows []database.CallRow, sent bool) error {
	info := activity.GetInfo(ctx)
	if err := h.sameExecution(ctx, in.Run, info.WorkflowExecution.RunID); err != nil {
		return err
	}
	check := signoff.CallCheck{
		Now: h.Now(), World: h.World, Installation: h.Installation, Run: in.Run, WorkflowID: info.WorkflowExecution.ID,
		Step: in.Step, Action: a.Card.Name, CardHash: playbooks.CardHash(a.Card), Effect: a.Card.Effect,
		Inputs: in.With, Target: e.Target, State: e.State, Started: firstCall(rows, in.Grant.Request),
		Earlier: earlier(rows, in.Grant.Request),
	}
	if e.Done || sent {
		// Our own call, or somebody who was faster, has moved the target already: what was signed is what holds.
		if signed := signedState(in); signed != nil {
			check.State = signed
		}
	}
	if _, ref := in.Grant.Allows(check, h.Trusted); ref != nil {
		h.ledger(ctx, in.Run, "grant.refused", in.Step, "grant/"+in.Step+"/"+callID(*in.Grant, in.Step), map[string]any{"code": ref.Code, "why": ref.Why, "request": in.Grant.Request})
		if ref.Code == signoff.Drifted || ref.Code == signoff.ExpiredCode {
			return refuse(wire.ErrDrifted, ref.Why)
		}
		return refuse(wire.ErrRefused, ref.Why)
	}
	if policy, err := h.Policy.Digest(); err != nil || policy != in.Grant.Envelope.PolicyHash {
		return refuse(wire.ErrDrifted, "the policy has changed since people were asked")
	}
	return h.stillEligible(ctx, in)
}

// signedState is the target as people saw it when they signed; nil for a call that is not in the envelope.
func signedState(in In) (state map[string]string) {
	for _, p := range in.Grant.Envelope.Calls {
		if p.Step == in.Step {
			state = p.State
		}
	}
	return state
}

// sameExecution binds a run to the one Temporal execution that we started: a reset has another id.
func (h *House) sameExecution(ctx context.Context, run, execution string) error {
	name := "execution/" + run
	known, ok, err := h.DB.Setting(ctx, name)
	if err != nil {
		return err
	}
	if !ok {
		return h.DB.PutSetting(ctx, name, execution)
	}
	if known != execution {
		return refuse(wire.ErrRefused, "this run's workflow was reset or started again outside Tourniquet; its sign-offs do not count")
	}
	return nil
}

// stillEligible looks at the people once more before the first call of a grant.
func (h *House) stillEligible(ctx context.Context, in In) error {
	for _, d := range in.Grant.Decisions {
		if d.Verb != signoff.Approve {
			continue
		}
		why, err := h.People.MayDecide(ctx, d.Person)
		if err != nil {
			return fmt.Errorf("whether %s may still decide could not be checked: %w", d.Person, err)
		}
		if why == "" {
			why, err = h.leftGroups(ctx, d)
			if err != nil {
				return err
			}
		}
		if why != "" {
			return refuse(wire.ErrDrifted, fmt.Sprintf("%s approved but %s", d.Person, why))
		}
	}
	return nil
}

func (h *House) leftGroups(ctx context.Context, d signoff.Decision) (string, error) {
	for _, g := range d.Groups {
		members, seen, err := h.People.Members(ctx, g)
		if err != nil {
			return "", fmt.Errorf("the members of %q could not be read: %w", g, err)
		}
		if h.Now().Sub(seen) > eligibleFor {
			return "", fmt.Errorf("the members of %q were last read at %s, which is too old", g, seen.UTC().Format(time.TimeOnly))
		}
		if !strings.Contains("\x00"+strings.Join(members, "\x00")+"\x00", "\x00"+d.Person+"\x00") {
			return fmt.Sprintf("is no longer a member of %q", g), nil
		}
	}
	return "", nil
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
