package activities

import (
	"context"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyContain() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.contain", Effect: signoff.EffectUndoable, Undo: "key.restore", Local: true, Repeat: true, Timeout: "60s", Attempts: 5, TargetInput: "key",
			Summary: "Stop the key with the strongest measure that its provider can undo",
			Inputs:  []playbooks.Field{{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key to stop"}},
			Outputs: []playbooks.Field{
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was done, in one sentence"},
				{Name: "measure", Type: playbooks.TypeString, Required: true, Doc: "the provider's measure"},
				{Name: "reach", Type: playbooks.TypeString, Required: true, Doc: "key, project or account"},
				{Name: "contained_at", Type: playbooks.TypeTime, Required: true, Doc: "when the provider confirmed it"},
			},
			Example: map[string]any{"summary": "Every API target was taken from the key", "measure": "Restrict the key", "reach": "key", "contained_at": "2026-03-04T03:12:09Z"},
		},
		Op:     keys.OpContain,
		DryRun: func(ctx context.Context, h *House, in In) (Entry, error) { return dryRun(ctx, h, in, keys.OpContain) },
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			p, k, err := h.target(in, "key")
			if err != nil {
				return Output{}, err
			}
			got, err := p.Contain(ctx, k)
			if err != nil {
				return Output{}, err
			}
			c := keys.CanFor(p, keys.OpContain, k)
			return Output{Summary: got.Summary, Request: got.RequestID, Left: got.After, Values: map[string]any{
				"summary": got.Summary, "measure": c.What, "reach": c.Reach, "contained_at": h.Now().UTC().Format(time.RFC3339Nano),
			}}, nil
		},
	}
}

// dryRun reads the target of an operation at its provider.
func dryRun(ctx context.Context, h *House, in In, op keys.Op) (Entry, error) {
	p, k, err := h.target(in, "key")
	if err != nil {
		return Entry{}, err
	}
	c := keys.CanFor(p, op, k)
	target := k.Target()
	if k.Hint != "" {
		target += " (" + k.Hint + ")"
	}
	e := Entry{Target: target, Reach: c.Reach, After: c.What, Undo: c.Undo}
	if !c.Available {
		if op == keys.OpSessions {
			e.Nothing = c.Why
			return e, nil
		}
		return Entry{}, keys.Permanent(&unavailable{what: string(op), who: k.Provider, why: c.Why})
	}
	st, err := p.State(ctx, op, k)
	if err != nil {
		return Entry{}, err
	}
	e.State, e.Done, e.Record, e.Before = st.Fields, st.Done, st.Undo, fieldsInWords(st.Fields)
	return e, nil
}

// unavailable is an operation that a provider does not have.
type unavailable struct{ what, who, why string }

func (u *unavailable) Error() string { return u.who + " cannot " + u.what + " a key: " + u.why }
