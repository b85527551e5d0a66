package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyCreate() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.create", Effect: signoff.EffectUndoable, Undo: actionDiscard, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "like",
			Summary: "Make a new key that can do what another one could; its value is sealed at once",
			Inputs:  []playbooks.Field{{Name: "like", Type: playbooks.TypeKey, Required: true, Doc: "the key to replace"}},
			Outputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the new key; its value stays sealed"},
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was made"},
			},
			Example: map[string]any{"summary": "A new key was made", "key": map[string]any{"provider": "gemini", "account": "demo", "id": "k2", "hint": "AIza…7bN1", "critical": false, "dependents": []any{}}},
		},
		Op:     keys.OpCreate,
		DryRun: dryCreate,
		Run:    create,
	}
}

// handsTime is how long a person has for making a key by hand; after that the plan is asked anew.
const handsTime = time.Hour

func dryCreate(ctx context.Context, h *House, in In) (Entry, error) {
	p, like, err := h.target(in, "like")
	if err != nil {
		return Entry{}, err
	}
	c := keys.CanFor(p, keys.OpCreate, like)
	if !c.Available && c.ByHand == "" {
		return Entry{}, keys.Permanent(&unavailable{what: "create", who: like.Provider, why: c.Why})
	}
	hands := time.Duration(0)
	if !c.Available {
		c.What, hands = "A person makes it in "+c.ByHand+" and seals it here", handsTime
	} else if err := roomFor(ctx, p, like, createLabel(in)); err != nil {
		return Entry{}, err
	}
	record, err := madeRecord(in, like)
	if err != nil {
		return Entry{}, err
	}
	return Entry{
		Record: record, LeavesNothing: c.Borrowed,
		Target: "a new key like " + like.Target(), Reach: keys.ReachKey, State: map[string]string{"like": like.Target()},
		Before: "no such key", After: c.What, Undo: cmp.Or(c.Undo, "Delete the unused key"), Hands: hands,
	}, nil
}

// roomFor asks whether the provider would make a key, before people are asked for it. What an interrupted attempt left
// behind takes room that the next attempt frees.
func roomFor(ctx context.Context, p keys.Provider, like incident.Key, label string) error {
	_, full := p.State(ctx, keys.OpCreate, like)
	if full == nil {
		return nil
	}
	if orphans, err := p.Orphans(ctx, like, label); err == nil && len(orphans) > 0 {
		return nil
	}
	return full
}

// create makes a key. A key that an earlier, interrupted attempt left behind is deleted first: its value was lost with
// the attempt, so it can serve nobody.
func create(ctx context.Context, h *House, in In) (Output, error) {
	p, like, err := h.target(in, "like")
	if err != nil {
		return Output{}, err
	}
	if c := keys.CanFor(p, keys.OpCreate, like); !c.Available {
		return byHand(ctx, h, in, p, like, c)
	}
	label := createLabel(in)
	orphans, err := p.Orphans(ctx, like, label)
	if err != nil {
		return Output{}, err
	}
	for _, o := range orphans {
		o.Provider, o.Account = like.Provider, like.Account
		if _, err := p.Revoke(ctx, o); err != nil {
			return Output{}, fmt.Errorf("the key %s of an interrupted attempt could not be deleted: %w", o.ID, err)
		}
	}
	made, err := p.Create(ctx, like, label)
	if err != nil {
		return Output{}, h.nothingMade(ctx, in, p, like, err)
	}
	ref, err := h.DB.PutSealed(ctx, "new/"+in.Run+"/"+in.Step, made.Secret, in.Run)
	clear(made.Secret)
	if err != nil {
		return Output{}, fmt.Errorf("the new key was made but its value could not be sealed; the next attempt deletes it: %w", err)
	}
	k := made.Key
	k.Provider, k.Account, k.Owner, k.Secret, k.Dependents = like.Provider, like.Account, like.Owner, &ref, []incident.Dependent{}
	return Output{Summary: made.Receipt.Summary, Request: made.Receipt.RequestID, Target: named(k), Left: leftKey(k), Values: map[string]any{"key": k, "summary": made.Receipt.Summary}}, nil
}

// nothingMade takes the way back away where the provider said no and has no key of ours: there is nothing to take back.
func (h *House) nothingMade(ctx context.Context, in In, p keys.Provider, like incident.Key, cause error) error {
	if !keys.IsPermanent(cause) {
		return cause
	}
	if left, err := p.Orphans(ctx, like, createLabel(in)); err != nil || len(left) > 0 {
		return cause
	}
	if err := h.DB.ForgetUndo(context.WithoutCancel(ctx), in.Run, in.Step); err != nil {
		h.Log.Error("a way back that is none could not be taken away", "run", in.Run, "step", in.Step, "error", err)
	}
	return cause
}

// createLabel marks a key as made by this step of this run. It is short and fits every provider's names.
func createLabel(in In) string {
	sum := sha256.Sum256([]byte(in.Run + "\n" + in.Step))
	return "tourniquet-" + hex.EncodeToString(sum[:6])
}
