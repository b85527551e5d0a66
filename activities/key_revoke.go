package activities

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyRevoke() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.revoke", Effect: signoff.EffectFinal, Repeat: true, After: []string{"key.contain", "key.restore"}, Timeout: "60s", Attempts: 1, TargetInput: "key",
			Summary: "Delete the key for good; a key that is gone already counts as done",
			Inputs:  []playbooks.Field{{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key to delete"}},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what the provider confirmed"}},
			Example: map[string]any{"summary": "The key was deleted"},
		},
		Op: keys.OpRevoke,
		DryRun: func(ctx context.Context, h *House, in In) (Entry, error) {
			e, err := dryRun(ctx, h, in, keys.OpRevoke)
			e.Undo = ""
			return e, err
		},
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			p, k, err := h.target(in, "key")
			if err != nil {
				return Output{}, err
			}
			got, err := p.Revoke(ctx, k)
			return Output{Summary: got.Summary, Request: got.RequestID, Values: map[string]any{"summary": got.Summary}}, err
		},
		Landed: revokeLanded,
	}
}

// revokeLanded: a key that is gone was deleted by the call whose answer was lost, or by somebody who was faster. Either way
// there is nothing left to send.
func revokeLanded(_ context.Context, _ *House, _ In, now Entry, _ map[string]string) (Output, bool, error) {
	const text = "The key is deleted; the answer to the first call was lost"
	return Output{Summary: text, Values: map[string]any{"summary": text}}, now.Done, nil
}

// target is the key of an input with the account that it belongs to.
func (h *House) target(in In, input string) (keys.Provider, incident.Key, error) {
	k, err := in.Key(input)
	if err != nil {
		return nil, k, err
	}
	p, err := h.provider(k)
	return p, k, err
}
