package litellm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/hashed"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	return p.account().State(ctx, op, key)
}

// Contain blocks the key.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.set(ctx, "blocking", "/key/block", key, true)
	receipt.Summary = "The key is blocked"
	return receipt, err
}

// Restore unblocks the key unless it was blocked before.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	return p.account().Restore(key, undo, func() (keys.Receipt, error) {
		receipt, err := p.set(ctx, "unblocking", "/key/unblock", key, false)
		receipt.Summary = "The key is unblocked"
		return receipt, err
	})
}

func (p *Provider) set(ctx context.Context, verb, path string, key incident.Key, blocked bool) (keys.Receipt, error) {
	what := fmt.Sprintf("%s the key %q", verb, key.ID)
	var got record
	request, err := p.proxy.Do(ctx, rest.Call{What: what, Method: http.MethodPost, Path: path, In: map[string]string{"key": key.ID}, Out: &got})
	if err != nil {
		return keys.Receipt{}, err
	}
	if got.Blocked == nil || *got.Blocked != blocked {
		return keys.Receipt{}, fmt.Errorf("%s: the proxy's answer does not say so", what)
	}
	return keys.Receipt{RequestID: request, After: p.account().Fields(blocked)}, nil
}

// Revoke deletes the key and looks whether it is gone: the answer names every key that was asked for, also one that was not there.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	what := fmt.Sprintf("deleting the key %q", key.ID)
	request, err := p.proxy.Do(ctx, rest.Call{What: what, Method: http.MethodPost, Path: "/key/delete", In: map[string][]string{"keys": {key.ID}}})
	already := rest.Status(err) == http.StatusNotFound
	if err != nil && !already {
		return keys.Receipt{}, err
	}
	k, readErr := p.key(ctx, key.ID)
	switch {
	case readErr != nil:
		return keys.Receipt{}, fmt.Errorf("%s: it was sent, but whether the key is gone could not be seen: %w", what, readErr)
	case k != nil:
		return keys.Receipt{}, fmt.Errorf("%s: the proxy answered, but the key is still there", what)
	}
	return hashed.Gone(request, already), nil
}
