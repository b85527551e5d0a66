package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func persistenceScan() Action {
	return Action{
		Card: playbooks.Card{
			Name: "persistence.scan", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "60s", Attempts: 5,
			Summary: "Look for what an intruder left behind: new keys, accounts, switched-off logging",
			Inputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key"},
				{Name: "since", Type: playbooks.TypeTime, Required: true, Doc: "from when on"},
			},
			Outputs: []playbooks.Field{
				{Name: "found", Type: playbooks.TypeInt, Required: true, Doc: "number of traces"},
				{Name: "items", Type: playbooks.TypeStrings, Required: true, Doc: "one line each"},
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "in one sentence"},
			},
			Example: map[string]any{"found": 0, "items": []any{}, "summary": "nothing was found"},
		},
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			p, k, err := h.target(in, "key")
			if err != nil {
				return Output{}, err
			}
			traces, raw, err := p.Persistence(ctx, k, in.Time("since"))
			if err != nil {
				return Output{}, err
			}
			if _, err := h.preserve(ctx, in, k.Provider, raw); err != nil {
				return Output{}, err
			}
			items := make([]any, 0, len(traces))
			for _, t := range traces {
				items = append(items, fmt.Sprintf("%s %s: %s by %s", t.At.UTC().Format(time.RFC3339), t.Kind, t.What, t.Actor))
			}
			text := fmt.Sprintf("%d traces were found", len(items))
			if len(items) == 0 {
				text = "nothing was found"
			}
			return Output{Summary: text, Values: map[string]any{"found": len(items), "items": items, "summary": text}}, nil
		},
	}
}
