package activities

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func sessionsRestore() Action {
	return Action{
		Card: playbooks.Card{
			Name: "sessions.restore", Effect: signoff.EffectFinal, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "key",
			Summary: "Let live again what sessions.revoke ended; it may give a thief his session back, so it counts as final",
			Inputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key whose sessions were ended"},
				{Name: "step", Type: playbooks.TypeString, Doc: "path of the step whose undo record is used; the latest one of the key otherwise, also one that an ended run left in force"},
			},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was taken off"}},
			Example: map[string]any{"summary": "The deny policy is off"},
		},
		Op: keys.OpSessions,
		DryRun: func(ctx context.Context, h *House, in In) (Entry, error) {
			return dryUndo(ctx, h, in, "sessions.restore", keys.OpSessions)
		},
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			return runUndo(ctx, h, in, "sessions.restore")
		},
	}
}
