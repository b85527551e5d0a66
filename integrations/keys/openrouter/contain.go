package openrouter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// before is the undo of a containment.
type before struct {
	Disabled bool `json:"disabled"`
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	if op == keys.OpSessions {
		return keys.State{Fields: map[string]string{}, Done: true}, nil
	}
	k, err := p.key(ctx, key.ID)
	if err != nil {
		return keys.State{}, err
	}
	if op == keys.OpRevoke || op == keys.OpCreate {
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(k != nil)}, Done: op == keys.OpRevoke && k == nil}, nil
	}
	if k == nil {
		return keys.State{}, keys.Permanent(fmt.Errorf("OpenRouter knows no key %q in account %q", key.ID, p.cfg.Account))
	}
	undo, err := json.Marshal(before{Disabled: k.Disabled})
	return keys.State{Fields: disabledFields(k.Disabled), Done: op == keys.OpContain && k.Disabled, Undo: undo}, err
}

func disabledFields(disabled bool) map[string]string {
	return map[string]string{"disabled": strconv.FormatBool(disabled)}
}

// Contain disables the key.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.set(ctx, "disabling", key, true)
	receipt.Summary = "The key is disabled"
	return receipt, err
}

// Restore enables the key unless it was disabled before.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("what was recorded of the key %q cannot be read, enable it by hand: %w", key.ID, err))
	}
	if was.Disabled {
		return keys.Receipt{Summary: "Nothing to put back: the key was disabled before", After: disabledFields(true)}, nil
	}
	receipt, err := p.set(ctx, "enabling", key, false)
	receipt.Summary = "The key is enabled"
	return receipt, err
}

func (p *Provider) set(ctx context.Context, verb string, key incident.Key, disabled bool) (keys.Receipt, error) {
	what := fmt.Sprintf("%s the key %q", verb, key.ID)
	var got struct {
		Data struct {
			Hash     string `json:"hash"`
			Disabled *bool  `json:"disabled"`
		} `json:"data"`
	}
	request, err := p.router.Do(ctx, rest.Call{What: what, Method: http.MethodPatch, Path: "/keys/" + url.PathEscape(key.ID), In: map[string]bool{"disabled": disabled}, Out: &got})
	if err != nil {
		return keys.Receipt{}, err
	}
	if got.Data.Disabled == nil || *got.Data.Disabled != disabled {
		return keys.Receipt{}, fmt.Errorf("%s: OpenRouter's answer does not say so", what)
	}
	return keys.Receipt{RequestID: request, After: disabledFields(disabled)}, nil
}

// Revoke deletes the key. One that is gone already is a success.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	what := fmt.Sprintf("deleting the key %q", key.ID)
	var got struct {
		Deleted bool `json:"deleted"`
	}
	request, err := p.router.Do(ctx, rest.Call{What: what, Method: http.MethodDelete, Path: "/keys/" + url.PathEscape(key.ID), Out: &got})
	switch {
	case rest.Status(err) == http.StatusNotFound:
		return keys.Receipt{Summary: "The key was deleted already", After: map[string]string{"exists": "false"}}, nil
	case err != nil:
		return keys.Receipt{}, err
	case !got.Deleted:
		return keys.Receipt{}, fmt.Errorf("%s: OpenRouter's answer does not say that it is deleted", what)
	}
	return keys.Receipt{RequestID: request, Summary: "The key is deleted for good", After: map[string]string{"exists": "false"}}, nil
}
