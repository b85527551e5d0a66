package activities

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyRestore() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.restore", Effect: signoff.EffectFinal, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "key",
			Summary: "Put a contained key back as it was; it gives a possibly stolen key back, so it counts as final",
			Inputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the contained key"},
				{Name: "step", Type: playbooks.TypeString, Doc: "path of the step whose undo record is used; the latest containment of the key otherwise, also one that an ended run left in force"},
			},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was put back"}},
			Example: map[string]any{"summary": "The key has its API targets again"},
		},
		Op: keys.OpRestore,
		DryRun: func(ctx context.Context, h *House, in In) (Entry, error) {
			return dryUndo(ctx, h, in, "key.restore", keys.OpContain)
		},
		Run: func(ctx context.Context, h *House, in In) (Output, error) { return runUndo(ctx, h, in, "key.restore") },
	}
}
