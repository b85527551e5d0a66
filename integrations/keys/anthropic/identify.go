package anthropic

import (
	"context"
	"fmt"
	"net/http"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Identify finds keys by id, by value or by hint. Anthropic shows only the first and last characters of a value, so a value
// or a hint may fit several keys: all are returned, and somebody must choose. Archived keys are not looked at by hint: they
// are dead, and would make a living key ambiguous.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	if clue.ID != "" {
		k, err := p.key(ctx, clue.ID)
		if err != nil || k == nil {
			return nil, err
		}
		return []incident.Key{p.noun(*k)}, nil
	}
	hint := clue.Hint
	if len(secret) > 0 {
		hint = hintOf(string(secret))
	}
	if hint == "" {
		return nil, nil
	}
	all, err := p.list(ctx)
	var found []incident.Key
	for _, k := range all {
		if k.Status != sdk.APIKeyStatusArchived && keys.HintFits(k.PartialKeyHint, hint) {
			found = append(found, p.noun(k))
		}
	}
	return found, err
}

// key reads one key; nil means that Anthropic knows none of this id.
func (p *Provider) key(ctx context.Context, id string) (*sdk.APIKey, error) {
	var k *sdk.APIKey
	err := p.read(ctx, fmt.Sprintf("reading the key %q", id), func() (err error) {
		k, err = p.admin.APIKeys.Get(ctx, id)
		if err == nil {
			err = whole(k)
		}
		return err
	})
	if rest.Status(err) == http.StatusNotFound {
		return nil, nil
	}
	return k, err
}

// whole refuses an answer that is no key: an empty status would be taken for a change.
func whole(k *sdk.APIKey) error {
	if k == nil || k.ID == "" || k.Status == "" {
		return fmt.Errorf("the answer holds no key with a status")
	}
	return nil
}

// list reads every key of the organisation.
func (p *Provider) list(ctx context.Context) ([]sdk.APIKey, error) {
	var all []sdk.APIKey
	query := sdk.OrganizationAPIKeyListParams{Limit: sdk.Int(pageSize)}
	for {
		more := false
		err := p.read(ctx, "listing the organisation's keys", func() error {
			page, err := p.admin.APIKeys.List(ctx, query)
			if err != nil {
				return err
			}
			if !page.JSON.Data.Valid() {
				return errNoList
			}
			all = append(all, page.Data...)
			more = page.HasMore && len(page.Data) > 0
			return nil
		})
		if err != nil || !more {
			return all, err
		}
		query.AfterID = sdk.String(all[len(all)-1].ID)
	}
}

func (p *Provider) noun(k sdk.APIKey) incident.Key {
	head, tail := keys.Ends(k.PartialKeyHint)
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: k.Scope.WorkspaceID, ID: k.ID, Name: k.Name, Hint: head + "…" + tail,
		OwnerKind: string(k.CreatedBy.Type), Dependents: []incident.Dependent{},
	}
}

// hintOf keeps what Anthropic itself shows of a value.
func hintOf(secret string) string {
	if len(secret) < 24 {
		return ""
	}
	return secret[:len("sk-ant-api03-R2D")] + "…" + secret[len(secret)-4:]
}
