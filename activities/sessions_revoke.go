package activities

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func sessionsRevoke() Action {
	return Action{
		Card: playbooks.Card{
			Name: "sessions.revoke", Effect: signoff.EffectUndoable, Undo: "sessions.restore", Local: true, Repeat: true, Timeout: "60s", Attempts: 5, TargetInput: "key",
			Summary: "End what was derived from the key; providers without sessions say so",
			Inputs:  []playbooks.Field{{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key"}},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was ended"}},
			Example: map[string]any{"summary": "This provider has no sessions"},
		},
		Op:     keys.OpSessions,
		DryRun: func(ctx context.Context, h *House, in In) (Entry, error) { return dryRun(ctx, h, in, keys.OpSessions) },
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			p, k, err := h.target(in, "key")
			if err != nil {
				return Output{}, err
			}
			got, err := p.Sessions(ctx, k)
			return Output{Summary: got.Summary, Request: got.RequestID, Left: got.After, Values: map[string]any{"summary": got.Summary}}, err
		},
	}
}
