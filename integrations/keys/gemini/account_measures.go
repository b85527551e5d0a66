package gemini

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	iam "google.golang.org/api/iam/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// wasAccount is the undo of a measure against a service account's key or the account: whether it was disabled.
type wasAccount struct {
	Op       keys.Op `json:"op"`
	Disabled bool    `json:"disabled"`
}

// mostKeys is how many keys Google lets people manage for one service account.
const mostKeys = 10

// canAccount declares what Google offers for a service account's key.
func canAccount(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachKey,
			What: "Disable the service account's key; tokens made from it before live on for an hour at most (12 where the organisation allows it)", Undo: "Enable the key again"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Enable the key again; a deleted one is not brought back"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Delete the service account's key for good"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachProject,
			What: "Make a pair of keys here and upload the public one to the same service account", Undo: "Delete the unused key"}
	case keys.OpSessions:
		return keys.Capability{Available: true, Reach: keys.ReachProject,
			What: "Disable the service account: tokens made from the key die, and all else that runs as the account stops, its other keys too", Undo: "Enable the service account again"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

func (p *Provider) accountState(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	email, _, _ := strings.Cut(key.ID, "/")
	if op == keys.OpSessions || op == keys.OpCreate {
		return p.ownerState(ctx, op, email)
	}
	k, err := p.accountKey(ctx, key.ID, false)
	if err != nil {
		return keys.State{}, err
	}
	if op == keys.OpRevoke {
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(k != nil)}, Done: k == nil}, nil
	}
	if k == nil {
		return keys.State{}, keys.Permanent(fmt.Errorf("Google knows no key %q: it was deleted, or it belongs to another project", key.ID))
	}
	undo, err := json.Marshal(wasAccount{keys.OpContain, k.Disabled})
	return keys.State{Fields: disabledFields(k.Disabled), Done: op == keys.OpContain && k.Disabled, Undo: undo}, err
}

// ownerState is that of the account: whether it is disabled, and for a creation whether a new key could serve.
func (p *Provider) ownerState(ctx context.Context, op keys.Op, email string) (keys.State, error) {
	a, err := p.account(ctx, email)
	if err != nil {
		return keys.State{}, err
	}
	if a == nil {
		return keys.State{}, keys.Permanent(fmt.Errorf("Google knows no service account %q", email))
	}
	if op == keys.OpSessions {
		undo, err := json.Marshal(wasAccount{keys.OpSessions, a.Disabled})
		return keys.State{Fields: map[string]string{"account_disabled": strconv.FormatBool(a.Disabled)}, Done: a.Disabled, Undo: undo}, err
	}
	if a.Disabled {
		return keys.State{}, keys.Permanent(fmt.Errorf("the service account %q is disabled, so a new key of it would serve nobody: enable it first (sessions.restore)", email))
	}
	list, err := p.keysOf(ctx, email)
	if err == nil && len(list) >= mostKeys {
		err = keys.Permanent(fmt.Errorf("the service account %q has %d keys, and Google allows %d: delete one that nobody uses", email, len(list), mostKeys))
	}
	return keys.State{Fields: map[string]string{"exists": "true"}}, err
}

func disabledFields(disabled bool) map[string]string {
	return map[string]string{"disabled": strconv.FormatBool(disabled)}
}

// containAccount disables the key.
func (p *Provider) containAccount(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	_, err := p.iam.Projects.ServiceAccounts.Keys.Disable(keyName(key.ID), &iam.DisableServiceAccountKeyRequest{}).Context(ctx).Do()
	if err != nil {
		return keys.Receipt{}, explain(fmt.Sprintf("disabling the key %q", key.ID), err)
	}
	return keys.Receipt{Summary: "The key is disabled; tokens made from it before live on for an hour at most", After: disabledFields(true)}, nil
}

// restoreAccount enables what was enabled before.
func (p *Provider) restoreAccount(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was wasAccount
	if err := json.Unmarshal(undo, &was); err != nil || was.Op != keys.OpContain && was.Op != keys.OpSessions {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the undo record of %q cannot be read, enable it by hand", key.ID))
	}
	email, _, _ := strings.Cut(key.ID, "/")
	if was.Op == keys.OpSessions {
		after := map[string]string{"account_disabled": strconv.FormatBool(was.Disabled)}
		if was.Disabled {
			return keys.Receipt{Summary: "The service account was disabled before, so it stays so", After: after}, nil
		}
		_, err := p.iam.Projects.ServiceAccounts.Enable(accountName(email), &iam.EnableServiceAccountRequest{}).Context(ctx).Do()
		if err != nil {
			return keys.Receipt{}, explain(fmt.Sprintf("enabling the service account %q", email), err)
		}
		return keys.Receipt{Summary: fmt.Sprintf("The service account %s is enabled again", email), After: after}, nil
	}
	if was.Disabled {
		return keys.Receipt{Summary: "The key was disabled before, so it stays so", After: disabledFields(true)}, nil
	}
	if _, err := p.iam.Projects.ServiceAccounts.Keys.Enable(keyName(key.ID), &iam.EnableServiceAccountKeyRequest{}).Context(ctx).Do(); err != nil {
		return keys.Receipt{}, explain(fmt.Sprintf("enabling the key %q", key.ID), err)
	}
	return keys.Receipt{Summary: "The key is enabled again", After: disabledFields(false)}, nil
}

// revokeAccount deletes the key. One that is gone is a success.
func (p *Provider) revokeAccount(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	after := map[string]string{"exists": "false"}
	_, err := p.iam.Projects.ServiceAccounts.Keys.Delete(keyName(key.ID)).Context(ctx).Do()
	if notFound(err) {
		return keys.Receipt{Summary: "The key was deleted already", After: after}, nil
	}
	if err != nil {
		return keys.Receipt{}, explain(fmt.Sprintf("deleting the key %q", key.ID), err)
	}
	return keys.Receipt{Summary: "The key is deleted for good; tokens made from it before live on for an hour at most", After: after}, nil
}

// accountSessions disables the account, which ends every token made from any of its keys.
func (p *Provider) accountSessions(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	email, _, _ := strings.Cut(key.ID, "/")
	_, err := p.iam.Projects.ServiceAccounts.Disable(accountName(email), &iam.DisableServiceAccountRequest{}).Context(ctx).Do()
	if err != nil {
		return keys.Receipt{}, explain(fmt.Sprintf("disabling the service account %q", email), err)
	}
	return keys.Receipt{Summary: fmt.Sprintf("The service account %s is disabled: its tokens are dead, and so is all that runs as it", email),
		After: map[string]string{"account_disabled": "true"}}, nil
}
