package openrouter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/hashed"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	return p.account().State(ctx, op, key)
}

// Contain disables the key.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.set(ctx, "disabling", key, true)
	receipt.Summary = "The key is disabled"
	return receipt, err
}

// Restore enables the key unless it was disabled before.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	return p.account().Restore(key, undo, func() (keys.Receipt, error) {
		receipt, err := p.set(ctx, "enabling", key, false)
		receipt.Summary = "The key is enabled"
		return receipt, err
	})
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
	return keys.Receipt{RequestID: request, After: p.account().Fields(disabled)}, nil
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
		return hashed.Gone("", true), nil
	case err != nil:
		return keys.Receipt{}, err
	case !got.Deleted:
		return keys.Receipt{}, fmt.Errorf("%s: OpenRouter's answer does not say that it is deleted", what)
	}
	return hashed.Gone(request, false), nil
}
