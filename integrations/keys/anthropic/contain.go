package anthropic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// before is the undo of a containment: the status as it was.
type before struct {
	Status string `json:"status"`
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	if op == keys.OpSessions || op == keys.OpCreate {
		return keys.State{Fields: map[string]string{}, Done: op == keys.OpSessions}, nil
	}
	k, err := p.key(ctx, key.ID)
	if err != nil {
		return keys.State{}, err
	}
	if op == keys.OpRevoke {
		return existence(k), nil
	}
	if k == nil {
		return keys.State{}, keys.Permanent(fmt.Errorf("Anthropic knows no key %q in the organisation of account %q", key.ID, p.cfg.Account))
	}
	undo, err := json.Marshal(before{Status: string(k.Status)})
	return keys.State{Fields: statusFields(string(k.Status)), Done: op == keys.OpContain && k.Status != sdk.APIKeyStatusActive, Undo: undo}, err
}

// existence leaves inactive and active the same: containing a key must not make the plan of its end stale.
func existence(k *sdk.APIKey) keys.State {
	gone := k == nil || k.Status == sdk.APIKeyStatusArchived
	return keys.State{Fields: map[string]string{"archived": fmt.Sprint(gone)}, Done: gone}
}

func statusFields(status string) map[string]string { return map[string]string{"status": status} }

// Contain sets the key inactive. One that works no more is left as it is.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.set(ctx, fmt.Sprintf("setting the key %q inactive", key.ID), key, sdk.OrganizationAPIKeyUpdateParamsStatusInactive)
	if err == nil {
		receipt.Summary = "The key is inactive"
		return receipt, nil
	}
	if rest.Status(err) == http.StatusBadRequest { // neither an archived nor an expired key can be set inactive
		if k, readErr := p.key(ctx, key.ID); readErr == nil && k != nil && (k.Status == sdk.APIKeyStatusArchived || k.Status == sdk.APIKeyStatusExpired) {
			return keys.Receipt{Summary: fmt.Sprintf("The key works no more: it is %s already", k.Status), After: statusFields(string(k.Status))}, nil
		}
	}
	return keys.Receipt{}, err
}

// Restore sets the key to the status that was recorded.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the recorded status of the key %q cannot be read, set it by hand: %w", key.ID, err))
	}
	status := sdk.OrganizationAPIKeyUpdateParamsStatus(was.Status)
	if status != sdk.OrganizationAPIKeyUpdateParamsStatusActive && status != sdk.OrganizationAPIKeyUpdateParamsStatusInactive {
		return keys.Receipt{Summary: fmt.Sprintf("Nothing to put back: the key was %q before", was.Status), After: statusFields(was.Status)}, nil
	}
	receipt, err := p.set(ctx, fmt.Sprintf("setting the key %q %s", key.ID, was.Status), key, status)
	receipt.Summary = fmt.Sprintf("The key is %s again", was.Status)
	return receipt, err
}

// Revoke archives the key. One that is archived or unknown already is a success.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.set(ctx, fmt.Sprintf("archiving the key %q", key.ID), key, sdk.OrganizationAPIKeyUpdateParamsStatusArchived)
	if err == nil {
		receipt.Summary, receipt.After = "The key is archived for good", map[string]string{"archived": "true"}
		return receipt, nil
	}
	if status := rest.Status(err); status == http.StatusNotFound || status == http.StatusBadRequest {
		if k, readErr := p.key(ctx, key.ID); readErr == nil && existence(k).Done {
			return keys.Receipt{Summary: "The key was archived already", After: map[string]string{"archived": "true"}}, nil
		}
	}
	return keys.Receipt{}, err
}

// set changes the status: POST, once.
func (p *Provider) set(ctx context.Context, what string, key incident.Key, status sdk.OrganizationAPIKeyUpdateParamsStatus) (keys.Receipt, error) {
	var answer *http.Response
	k, err := p.admin.APIKeys.Update(ctx, key.ID, sdk.OrganizationAPIKeyUpdateParams{Status: status}, option.WithResponseInto(&answer))
	if err == nil {
		err = whole(k)
	}
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	if string(k.Status) != string(status) {
		return keys.Receipt{}, fmt.Errorf("%s: Anthropic's answer says that it is %q", what, k.Status)
	}
	receipt := keys.Receipt{After: statusFields(string(status))}
	if answer != nil {
		receipt.RequestID = answer.Header.Get("request-id")
	}
	return receipt, nil
}
