package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func dependentUpdate() Action {
	return Action{
		Card: playbooks.Card{
			Name: "dependent.update", Effect: signoff.EffectFinal, Undo: "dependent.restore", Repeat: true, Timeout: "60s", Attempts: 1,
			TargetInput: "dependent", Reads: []string{"key"},
			Summary: "Give a dependent its new key and restart it; final where its store cannot give the old value back, undoable where it can",
			Inputs: []playbooks.Field{
				{Name: "dependent", Type: playbooks.TypeDepend, Required: true, Doc: "from the inventory"},
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the new key, whose value is sealed"},
			},
			Outputs: []playbooks.Field{
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was written where"},
				{Name: "request", Type: playbooks.TypeString, Doc: "the store's own id of the update"},
			},
			Example: map[string]any{"summary": "GEMINI_API_KEY of example/shop has the new key"},
		},
		DryRun: dryUpdate,
		Run:    update,
		Landed: updateLanded,
		Keep:   keepOld,
	}
}

func dryUpdate(ctx context.Context, h *House, in In) (Entry, error) {
	d, s, err := h.place(in)
	if err != nil {
		return Entry{}, err
	}
	if err := h.deployable(ctx, d); err != nil {
		return Entry{}, err
	}
	st, err := s.State(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		Target: dependentTarget(d), State: st.Fields, Reach: keys.ReachKey, Before: fieldsInWords(st.Fields),
		After: whatHappensTo(d, "holds the new key"),
	}
	if st.Undo != nil {
		e.Undoable, e.Undo, e.Record = true, s.Undo(), st.Undo
	}
	return e, nil
}

// oldRecord is the undo record of a dependent: what the store said, and where the value before is sealed.
type oldRecord struct {
	Store  json.RawMessage     `json:"store"`
	Secret *incident.SecretRef `json:"secret,omitempty"`
}

// keepOld seals the value before for a store that keeps no versions.
func keepOld(ctx context.Context, h *House, in In, e Entry) (json.RawMessage, error) {
	d, s, err := h.place(in)
	if err != nil {
		return nil, err
	}
	record := oldRecord{Store: e.Record}
	if k, ok := s.(secretstores.Keeper); ok {
		old, err := k.Old(ctx, d)
		if err != nil {
			return nil, err
		}
		defer clear(old)
		if len(old) > 0 {
			ref, err := h.DB.PutSealed(ctx, "old/"+in.Run+"/"+in.Step, old, in.Run)
			if err != nil {
				return nil, err
			}
			record.Secret = &ref
		}
	}
	return json.Marshal(record)
}

// update opens the sealed value only for the store.
func update(ctx context.Context, h *House, in In) (Output, error) {
	d, s, err := h.place(in)
	if err != nil {
		return Output{}, err
	}
	k, err := in.Key("key")
	if err != nil {
		return Output{}, err
	}
	value, err := h.newValue(ctx, k, d)
	if err != nil {
		return Output{}, err
	}
	defer clear(value)
	// Written down before the write: a key that somebody may have is never taken for an unused one.
	step, err := h.takenOver(ctx, in, k, dependentTarget(d), true)
	if err != nil {
		return Output{}, fmt.Errorf("that %s gets the key could not be written down, so nothing was called: %w", d.ID, err)
	}
	change := order(in, value)
	receipt, err := s.Update(ctx, d, change)
	if err != nil {
		if errors.Is(err, secretstores.ErrMoved) || keys.IsPermanent(err) {
			if _, free := h.takenOver(context.WithoutCancel(ctx), in, k, dependentTarget(d), false); free != nil {
				h.Log.Error("that a dependent got no new key could not be written down", "run", in.Run, "step", in.Step, "error", free)
			}
		}
		return Output{}, moved(err)
	}
	return h.handedOver(ctx, d, s, change, receipt, d.ID+" has the key "+k.Hint, step)
}

// handedOver restarts the dependent and remembers how its store was left.
func (h *House) handedOver(ctx context.Context, d incident.Dependent, s secretstores.Store, c secretstores.Change, receipt, text, from string) (Output, error) {
	deployed, err := h.deploy(ctx, d, c)
	if err != nil {
		return Output{}, err
	}
	st, err := s.State(ctx, d)
	if err != nil {
		return Output{}, err
	}
	request := receipt + deployed
	var used []string
	if from != "" {
		used = []string{from}
	}
	return Output{Summary: text, Request: request, Left: st.Fields, UsedUp: used, Values: map[string]any{"summary": text, "request": request}}, nil
}

// updateLanded: the target was as signed when the intent was written down, so whatever changed it since was our call, or
// somebody whose value must not be overwritten unseen. The step that checks the dependent says which. The process may have
// ended before the restart, so that is asked for again.
func updateLanded(ctx context.Context, h *House, in In, now Entry, signed map[string]string) (Output, bool, error) {
	if maps.Equal(now.State, signed) {
		return Output{}, false, nil
	}
	d, s, err := h.place(in)
	if err != nil {
		return Output{}, false, err
	}
	k, err := in.Key("key")
	if err != nil {
		return Output{}, false, err
	}
	step, err := h.takenOver(ctx, in, k, dependentTarget(d), true)
	if err != nil {
		return Output{}, false, err
	}
	out, err := h.handedOver(ctx, d, s, order(in, nil), "", d.ID+" has the key "+k.Hint+"; the write had arrived when its answer was lost", step)
	return out, err == nil, err
}
