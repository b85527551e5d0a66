package activities

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyProbe() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.probe", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "20s", Attempts: 5,
			Summary: "Try the key with one harmless call and say whether the provider still takes it",
			Inputs:  []playbooks.Field{{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key to try"}},
			Outputs: []playbooks.Field{
				{Name: "state", Type: playbooks.TypeString, Required: true, Doc: "working, refused or unknown"},
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "the provider's answer, and for how long the key worked on after it was revoked"},
				{Name: "revoked_at", Type: playbooks.TypeTime, Doc: "when the provider confirmed the revocation in this run"},
				{Name: "last_worked_at", Type: playbooks.TypeTime, Doc: "the last time after that at which a probe of this run saw the key work"},
				{Name: "refused_at", Type: playbooks.TypeTime, Doc: "when a probe of this run first saw the key refused after that"},
				{Name: "worked_on_seconds", Type: playbooks.TypeFloat, Doc: "from the revocation to the first refusal: the key worked on for so long at most"},
			},
			Example: map[string]any{"state": "refused", "summary": "refused: 400 API_KEY_INVALID"},
		},
		Run: probe,
	}
}

// probe tries the value itself where we hold it. Where nobody ever told us the value, the provider's own record of the
// deletion is the best there is, and the summary says so.
func probe(ctx context.Context, h *House, in In) (Output, error) {
	p, k, err := h.target(in, "key")
	if err != nil {
		return Output{}, err
	}
	if k.Secret == nil {
		return probeRecord(ctx, p, k)
	}
	secret, err := h.DB.OpenSealed(ctx, *k.Secret)
	if err != nil {
		return Output{}, keys.Permanent(fmt.Errorf("the sealed value of %s cannot be opened: %w", k.Target(), err))
	}
	defer clear(secret)
	got, err := p.Probe(ctx, k, secret)
	if err != nil {
		return Output{}, err
	}
	seen, err := h.lingering(ctx, in.Run, k, got.State)
	if err != nil {
		return Output{}, err
	}
	text := got.State + ": " + got.Detail + seen.words(got.State)
	values := map[string]any{"state": got.State, "summary": text}
	seen.tell(values)
	return Output{Summary: text, Values: values}, nil
}

// probeRecord reads what the provider wrote down of a key whose value nobody ever told us.
func probeRecord(ctx context.Context, p keys.Provider, k incident.Key) (Output, error) {
	st, err := p.State(ctx, keys.OpRevoke, k)
	if err != nil {
		return Output{}, err
	}
	state, text := keys.ProbeUnknown, "the key's value was never known to us, and the provider still lists it"
	if st.Done {
		state, text = keys.ProbeRefused, "the provider's record says deleted; the value was never known to us, so it was not tried"
	}
	return Output{Summary: text, Values: map[string]any{"state": state, "summary": text}}, nil
}
