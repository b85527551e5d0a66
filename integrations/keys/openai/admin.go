package openai

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// adminKind marks a key of the whole organisation: it spends nothing itself, but makes keys that do.
const adminKind = "admin_key"

func isAdmin(k incident.Key) bool { return k.OwnerKind == adminKind }

// CanKey declares what OpenAI offers for this kind of key.
func (p *Provider) CanKey(op keys.Op, key incident.Key) keys.Capability {
	if !isAdmin(key) {
		return p.Can(op)
	}
	switch op {
	case keys.OpContain, keys.OpRestore:
		return keys.Capability{Reach: keys.ReachAccount, Why: "OpenAI has nothing that stops an admin key and can be taken back: revoke it, people can sign for that now"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Delete the organisation's admin key for good"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachAccount, What: "Create another admin key of the organisation", Undo: "Delete the unused key"}
	}
	return p.Can(op)
}

func (p *Provider) adminNoun(k sdk.AdminAPIKey) incident.Key {
	head, tail := keys.Ends(k.RedactedValue)
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, ID: k.ID, Name: k.Name, Hint: head + "…" + tail, OwnerKind: adminKind, Dependents: []incident.Dependent{},
	}
}

// adminKey reads one; nil means that OpenAI knows none of this id.
func (p *Provider) adminKey(ctx context.Context, id string) (*sdk.AdminAPIKey, error) {
	var k *sdk.AdminAPIKey
	err := p.read(ctx, fmt.Sprintf("reading the admin key %q", id), func() (err error) {
		if k, err = p.admin.Organization.AdminAPIKeys.Get(ctx, id); err == nil && k.ID == "" {
			err = errShape
		}
		return err
	})
	if missing(err) {
		return nil, nil
	}
	return k, err
}

func (p *Provider) adminKeys(ctx context.Context) ([]sdk.AdminAPIKey, error) {
	var all []sdk.AdminAPIKey
	query := sdk.AdminOrganizationAdminAPIKeyListParams{Limit: sdk.Int(pageSize)}
	for {
		more := false
		err := p.read(ctx, "listing the organisation's admin keys", func() error {
			page, err := p.admin.Organization.AdminAPIKeys.List(ctx, query)
			if err != nil {
				return err
			}
			if !page.JSON.Data.Valid() {
				return errShape
			}
			all = append(all, page.Data...)
			more = page.HasMore && len(page.Data) > 0
			return nil
		})
		if err != nil || !more {
			return all, err
		}
		query.After = sdk.String(all[len(all)-1].ID)
	}
}

func (p *Provider) revokeAdmin(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	what := fmt.Sprintf("deleting the admin key %q", key.ID)
	got, err := p.admin.Organization.AdminAPIKeys.Delete(ctx, key.ID)
	if err == nil && got.Deleted {
		return keys.Receipt{Summary: "The admin key is deleted for good", After: map[string]string{"exists": "false"}}, nil
	}
	if err == nil || missing(err) {
		if k, readErr := p.adminKey(ctx, key.ID); readErr == nil && k == nil {
			return keys.Receipt{Summary: "The admin key was deleted already", After: map[string]string{"exists": "false"}}, nil
		}
	}
	if err == nil {
		return keys.Receipt{}, fmt.Errorf("%s: OpenAI's answer does not say that it is deleted", what)
	}
	return keys.Receipt{}, explain(what, err)
}

func (p *Provider) createAdmin(ctx context.Context, what string, like incident.Key, label string) (keys.Created, error) {
	name := strings.TrimSpace(like.Name) + suffix(label)
	var answer *http.Response
	made, err := p.admin.Organization.AdminAPIKeys.New(ctx, sdk.AdminOrganizationAdminAPIKeyNewParams{Name: name}, into(&answer))
	if err != nil {
		return keys.Created{}, explain(what, err)
	}
	if made.Value == "" || made.ID == "" {
		return keys.Created{}, fmt.Errorf("%s: OpenAI's answer holds no key", what)
	}
	key := p.adminNoun(made.AdminAPIKey)
	key.Name, key.Hint = name, hintOf(made.Value)
	return keys.Created{Key: key, Secret: []byte(made.Value), Receipt: keys.Receipt{
		RequestID: requestID(answer), Summary: fmt.Sprintf("Created the admin key %q", name), After: map[string]string{"exists": "true"},
	}}, nil
}
