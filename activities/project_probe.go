package activities

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func projectProbe() Action {
	return Action{
		Card: playbooks.Card{
			Name: "project.probe", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "20s", Attempts: 5,
			Summary: "Ask the provider whether a project's API is off; no call with a key is made",
			Inputs: []playbooks.Field{
				{Name: "provider", Type: playbooks.TypeString, Required: true, Doc: "who issues the keys, as gemini"},
				{Name: "account", Type: playbooks.TypeString, Required: true, Doc: "the configured account; may be empty where the provider has one only"},
			},
			Outputs: []playbooks.Field{
				{Name: "state", Type: playbooks.TypeString, Required: true, Doc: "working or refused"},
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "the provider's own record"},
			},
			Example: map[string]any{"state": "refused", "summary": "generativelanguage.googleapis.com DISABLED"},
		},
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			_, p, err := h.project(in.Text("provider"), in.Text("account"))
			if err != nil {
				return Output{}, err
			}
			st, err := p.ProjectState(ctx)
			if err != nil {
				return Output{}, err
			}
			state, text := keys.ProbeWorking, fieldsInWords(st.Fields)
			if st.Done {
				state = keys.ProbeRefused
			}
			return Output{Summary: state + ": " + text, Values: map[string]any{"state": state, "summary": text}}, nil
		},
	}
}
