package activities

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func dependentCheck() Action {
	return Action{
		Card: playbooks.Card{
			Name: "dependent.check", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "30s", Attempts: 5,
			Summary: "Ask whether a dependent works with the key that it has now",
			Inputs:  []playbooks.Field{{Name: "dependent", Type: playbooks.TypeDepend, Required: true, Doc: "from the inventory"}},
			Outputs: []playbooks.Field{
				{Name: "healthy", Type: playbooks.TypeBool, Required: true, Doc: "it works"},
				{Name: "detail", Type: playbooks.TypeString, Required: true, Doc: "what was seen"},
			},
			Example: map[string]any{"healthy": true, "detail": "the last deploy succeeded"},
		},
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			d, err := in.Dependent("dependent")
			if err != nil {
				return Output{}, err
			}
			s, err := h.store(d)
			if err != nil {
				return Output{}, err
			}
			got, err := s.Check(ctx, d)
			return Output{Summary: got.Detail, Values: map[string]any{"healthy": got.Healthy, "detail": got.Detail}}, err
		},
	}
}
