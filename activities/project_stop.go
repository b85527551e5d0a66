package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func projectStop() Action {
	return Action{
		Card: playbooks.Card{
			Name: "project.stop", Effect: signoff.EffectUndoable, Undo: "project.start", Repeat: true, Timeout: "90s", Attempts: 3, TargetInput: "account",
			Summary: "Switch a provider's API off for a whole project, for when money runs and nobody can name the key",
			Inputs: []playbooks.Field{
				{Name: "provider", Type: playbooks.TypeString, Required: true, Doc: "who issues the keys, as gemini"},
				{Name: "account", Type: playbooks.TypeString, Required: true, Doc: "the configured account; may be empty where the provider has one only"},
			},
			Outputs: []playbooks.Field{
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was stopped, in one sentence"},
				{Name: "measure", Type: playbooks.TypeString, Required: true, Doc: "the provider's measure"},
				{Name: "reach", Type: playbooks.TypeString, Required: true, Doc: "key, project or account"},
				{Name: "stopped_at", Type: playbooks.TypeTime, Required: true, Doc: "when the provider confirmed it"},
			},
			Example: map[string]any{"summary": "The Gemini API is off in project acme-prod", "measure": "Switch the Gemini API off for the whole project", "reach": "project", "stopped_at": "2026-03-04T03:12:09Z"},
		},
		DryRun: dryStop,
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			_, p, err := h.project(in.Text("provider"), in.Text("account"))
			if err != nil {
				return Output{}, err
			}
			got, err := p.StopProject(ctx)
			if err != nil {
				return Output{}, err
			}
			c := p.CanStop()
			return Output{Summary: got.Summary, Request: got.RequestID, Left: got.After, Values: map[string]any{
				"summary": got.Summary, "measure": c.What, "reach": c.Reach, "stopped_at": h.Now().UTC().Format(time.RFC3339Nano),
			}}, nil
		},
	}
}

// stopped is the way back from a stop: where, and what the provider needs to know.
type stopped struct {
	Provider string          `json:"provider"`
	Account  string          `json:"account"`
	Was      json.RawMessage `json:"was"`
}

// project finds the account whose project is meant. Without a name it must be the only one that can be stopped.
func (h *House) project(provider, account string) (string, keys.ProjectStopper, error) {
	var names []string
	var found keys.ProjectStopper
	for _, a := range h.Providers {
		p, can := a.Provider.(keys.ProjectStopper)
		if a.Provider.Name() != provider || account != "" && a.Name != account || !can {
			continue
		}
		names, found = append(names, a.Name), p
	}
	switch len(names) {
	case 1:
		return names[0], found, nil
	case 0:
		return "", nil, keys.Permanent(fmt.Errorf("no account %q of provider %q is configured whose project can be stopped", account, provider))
	}
	slices.Sort(names)
	return "", nil, keys.Permanent(fmt.Errorf("the alert names no account, and %q has several (%s): say which project is meant", provider, strings.Join(names, ", ")))
}

func dryStop(ctx context.Context, h *House, in In) (Entry, error) {
	name, p, err := h.project(in.Text("provider"), in.Text("account"))
	if err != nil {
		return Entry{}, err
	}
	st, err := p.ProjectState(ctx)
	if err != nil {
		return Entry{}, err
	}
	c := p.CanStop()
	record, err := json.Marshal(stopped{in.Text("provider"), name, st.Undo})
	return Entry{
		Target: "the project of " + in.Text("provider") + ":" + name, Reach: c.Reach, After: c.What, Undo: c.Undo,
		State: st.Fields, Done: st.Done, Record: record, Before: fieldsInWords(st.Fields),
	}, err
}
