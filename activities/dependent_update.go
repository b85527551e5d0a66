package activities

import (
	"context"
	"fmt"
	"maps"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func dependentUpdate() Action {
	return Action{
		Card: playbooks.Card{
			Name: "dependent.update", Effect: signoff.EffectFinal, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "dependent", Reads: []string{"key"},
			Summary: "Give a dependent its new key and restart it; final, because most stores cannot give the old value back",
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
	}
}

func dryUpdate(ctx context.Context, h *House, in In) (Entry, error) {
	d, err := in.Dependent("dependent")
	if err != nil {
		return Entry{}, err
	}
	s, err := h.store(d)
	if err != nil {
		return Entry{}, err
	}
	st, err := s.State(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	return Entry{
		Target: d.Kind + " " + d.ID, State: st.Fields, Reach: keys.ReachKey, Before: fieldsInWords(st.Fields),
		After: "holds the new key, and is restarted", Undo: "",
	}, nil
}

// update opens the sealed value only for the store.
func update(ctx context.Context, h *House, in In) (Output, error) {
	d, err := in.Dependent("dependent")
	if err != nil {
		return Output{}, err
	}
	k, err := in.Key("key")
	if err != nil {
		return Output{}, err
	}
	s, err := h.store(d)
	if err != nil {
		return Output{}, err
	}
	if k.Secret == nil {
		return Output{}, keys.Permanent(fmt.Errorf("the value of %s is not known to us, so %s cannot get it", k.Target(), d.ID))
	}
	value, err := h.DB.OpenSealed(ctx, *k.Secret)
	if err != nil {
		return Output{}, keys.Permanent(fmt.Errorf("the sealed value of %s cannot be opened: %w", k.Target(), err))
	}
	defer clear(value)
	request, err := s.Update(ctx, d, value)
	text := d.ID + " has the key " + k.Hint
	return Output{Summary: text, Request: request, Values: map[string]any{"summary": text, "request": request}}, err
}

// redeployer is a store that can restart a dependent without writing its value again.
type redeployer interface {
	Redeploy(ctx context.Context, d incident.Dependent) (request string, err error)
}

// updateLanded: the target was as signed when the intent was written down, so whatever changed it since was our call, or
// somebody whose value must not be overwritten unseen. The step that checks the dependent says which. The process may have
// ended before the restart, so that is asked for again.
func updateLanded(ctx context.Context, h *House, in In, now Entry, signed map[string]string) (Output, bool, error) {
	if maps.Equal(now.State, signed) {
		return Output{}, false, nil
	}
	d, err := in.Dependent("dependent")
	if err != nil {
		return Output{}, false, err
	}
	k, err := in.Key("key")
	if err != nil {
		return Output{}, false, err
	}
	s, err := h.store(d)
	if err != nil {
		return Output{}, false, err
	}
	request := ""
	if r, ok := s.(redeployer); ok {
		if request, err = r.Redeploy(ctx, d); err != nil {
			return Output{}, false, err
		}
	}
	text := d.ID + " has the key " + k.Hint + "; the write had arrived when its answer was lost"
	return Output{Summary: text, Request: request, Values: map[string]any{"summary": text, "request": request}}, true, nil
}
