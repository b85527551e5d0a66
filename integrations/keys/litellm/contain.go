package litellm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// before is the undo of a containment.
type before struct {
	Blocked bool `json:"blocked"`
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
		return keys.State{}, keys.Permanent(fmt.Errorf("the proxy of account %q knows no key %q", p.cfg.Account, key.ID))
	}
	undo, err := json.Marshal(before{Blocked: k.blocked()})
	return keys.State{Fields: blockedFields(k.blocked()), Done: op == keys.OpContain && k.blocked(), Undo: undo}, err
}

func blockedFields(blocked bool) map[string]string {
	return map[string]string{"blocked": strconv.FormatBool(blocked)}
}

// Contain blocks the key.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.set(ctx, "blocking", "/key/block", key, true)
	receipt.Summary = "The key is blocked"
	return receipt, err
}

// Restore unblocks the key unless it was blocked before.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("what was recorded of the key %q cannot be read, unblock it by hand: %w", key.ID, err))
	}
	if was.Blocked {
		return keys.Receipt{Summary: "Nothing to put back: the key was blocked before", After: blockedFields(true)}, nil
	}
	receipt, err := p.set(ctx, "unblocking", "/key/unblock", key, false)
	receipt.Summary = "The key is unblocked"
	return receipt, err
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
	return keys.Receipt{RequestID: request, After: blockedFields(blocked)}, nil
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
	case already:
		return keys.Receipt{Summary: "The key was deleted already", After: map[string]string{"exists": "false"}}, nil
	}
	return keys.Receipt{RequestID: request, Summary: "The key is deleted for good", After: map[string]string{"exists": "false"}}, nil
}
