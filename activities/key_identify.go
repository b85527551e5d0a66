package activities

import (
	"context"
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func keyIdentify() Action {
	return Action{
		Card: playbooks.Card{
			Name: "key.identify", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "30s", Attempts: 5,
			Summary: "Find which key the alert speaks of, at its provider",
			Inputs:  []playbooks.Field{{Name: "choose", Type: playbooks.TypeString, Doc: "provider:account:id, where a hint fits several keys"}},
			Outputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Doc: "the key; absent while several fit"},
				{Name: "several", Type: playbooks.TypeStrings, Doc: "all keys that fit an ambiguous hint"},
				{Name: "joined", Type: playbooks.TypeString, Doc: "another open incident that answers for this key already"},
			},
			Example: map[string]any{"key": map[string]any{"provider": "gemini", "account": "demo", "id": "k1", "hint": "AIza…9xQ2", "critical": false, "dependents": []any{}}},
		},
		Run: identify,
	}
}

func identify(ctx context.Context, h *House, in In) (Output, error) {
	clue := in.Alert.Key
	secret, ref, err := h.leaked(ctx, in, clue)
	if err != nil {
		return Output{}, err
	}
	found, err := h.search(ctx, clue, secret)
	if err != nil {
		return Output{}, err
	}
	if choose := in.Text("choose"); choose != "" {
		found = only(found, choose)
	}
	switch len(found) {
	case 0:
		return Output{}, keys.Permanent(fmt.Errorf("no configured account knows this key (provider %q, id %q, hint %q); add its account under providers", clue.Provider, clue.ID, clue.Hint))
	case 1:
	default:
		names := make([]any, 0, len(found))
		for _, k := range found {
			names = append(names, k.Target())
		}
		return Output{Values: map[string]any{"several": names}, Summary: fmt.Sprintf("%d keys fit the hint", len(found))}, nil
	}
	k := found[0]
	if h.Inventory != nil {
		k = h.Inventory.Enrich(k)
	}
	k.Secret = ref
	return h.identified(ctx, in, k)
}

// identified adds the key's id to the incident's aliases; meeting another open incident that a run answers for, this one ends
// as joined and its alerts go there.
func (h *House) identified(ctx context.Context, in In, k incident.Key) (Output, error) {
	other, err := h.DB.JoinIncidents(ctx, in.Incident, []database.Alias{{Provider: k.Provider, Kind: "id", Value: k.Account + "/" + k.ID}})
	if err != nil {
		return Output{}, err
	}
	if other != "" && other != in.Incident {
		return Output{Values: map[string]any{"joined": other}, Summary: "joined " + other}, nil
	}
	if k.Dependents == nil {
		k.Dependents = []incident.Dependent{}
	}
	return Output{Values: map[string]any{"key": k}, Summary: k.Target() + " " + k.Hint}, nil
}

// leaked opens the sealed secret, or reads it again from the source when the door could not.
func (h *House) leaked(ctx context.Context, in In, clue incident.Clue) ([]byte, *incident.SecretRef, error) {
	if clue.Secret != nil {
		secret, err := h.DB.OpenSealed(ctx, *clue.Secret)
		if err != nil {
			return nil, nil, keys.Permanent(fmt.Errorf("the sealed key of this alert cannot be opened: %w", err))
		}
		return secret, clue.Secret, nil
	}
	if h.Fetcher == nil || clue.Where == "" || clue.ID != "" {
		return nil, nil, nil
	}
	secret, _, err := h.Fetcher.Fetch(ctx, clue.Where)
	if err != nil {
		return nil, nil, err
	}
	if len(secret) == 0 {
		return nil, nil, nil
	}
	ref, err := h.DB.PutSealed(ctx, "leak/"+in.Alert.ID, secret, in.Run)
	return secret, &ref, err
}

// search asks every account of the named provider, or of all providers when the alert names none.
func (h *House) search(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	var found []incident.Key
	var failed []string
	var last error
	for _, a := range h.Providers {
		if clue.Provider != "" && clue.Provider != a.Provider.Name() || clue.Account != "" && clue.Account != a.Name {
			continue
		}
		got, err := a.Identify(ctx, clue, secret)
		if err != nil {
			failed, last = append(failed, a.Provider.Name()+":"+a.Name+": "+err.Error()), err
			continue
		}
		for _, k := range got {
			k.Provider, k.Account = a.Provider.Name(), a.Name
			found = append(found, k)
		}
	}
	if len(found) == 0 && last != nil {
		if keys.IsPermanent(last) {
			return nil, keys.Permanent(fmt.Errorf("%s", strings.Join(failed, "; ")))
		}
		return nil, fmt.Errorf("%s", strings.Join(failed, "; "))
	}
	return found, nil
}

func only(found []incident.Key, target string) []incident.Key {
	for _, k := range found {
		if k.Target() == target {
			return []incident.Key{k}
		}
	}
	return nil
}
