package openai

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Identify finds keys by id, by value or by hint. OpenAI shows only the first and last characters of a value, so a value or a
// hint may fit several keys: all are returned, and somebody must choose.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	if clue.ID != "" {
		k, err := p.key(ctx, incident.Key{ID: clue.ID})
		if err != nil || k == nil {
			return nil, err
		}
		return []incident.Key{p.noun(*k)}, nil
	}
	hint := clue.Hint
	if len(secret) > 0 {
		hint = hintOf(string(secret))
	}
	first, last := ends(hint)
	if len(last) < 3 {
		return nil, nil
	}
	all, err := p.list(ctx, p.cfg.Project)
	var found []incident.Key
	for _, k := range all {
		head, tail := ends(k.RedactedValue)
		prefixFits := strings.HasPrefix(head, first) || strings.HasPrefix(first, head)
		if prefixFits && (strings.HasSuffix(tail, last) || strings.HasSuffix(last, tail) && len(tail) >= 3) {
			found = append(found, p.noun(k))
		}
	}
	return found, err
}

// key reads one key; nil means that OpenAI knows none of this id.
func (p *Provider) key(ctx context.Context, key incident.Key) (*sdk.ProjectAPIKey, error) {
	var k *sdk.ProjectAPIKey
	err := p.read(ctx, fmt.Sprintf("reading the key %q", key.ID), func() (err error) {
		k, err = p.admin.Organization.Projects.APIKeys.Get(ctx, p.project(key), key.ID)
		if status(err) == 404 {
			k, err = nil, nil
		}
		return err
	})
	return k, err
}

// list reads every key of the project, those whose owner has lost access too.
func (p *Provider) list(ctx context.Context, project string) ([]sdk.ProjectAPIKey, error) {
	var all []sdk.ProjectAPIKey
	query := sdk.AdminOrganizationProjectAPIKeyListParams{Limit: sdk.Int(pageSize), OwnerProjectAccess: sdk.AdminOrganizationProjectAPIKeyListParamsOwnerProjectAccessAny}
	for {
		more := false
		err := p.read(ctx, fmt.Sprintf("listing the keys of project %q", project), func() error {
			page, err := p.admin.Organization.Projects.APIKeys.List(ctx, project, query)
			if err != nil {
				return err
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

func (p *Provider) noun(k sdk.ProjectAPIKey) incident.Key {
	head, tail := ends(k.RedactedValue)
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: p.cfg.Project, ID: k.ID, Name: k.Name, Hint: head + "…" + tail,
		OwnerKind: k.Owner.Type, Dependents: []incident.Dependent{},
	}
}

// hintOf keeps what OpenAI itself shows of a value: the prefix that says its kind, and the last four characters.
func hintOf(secret string) string {
	if len(secret) < 20 {
		return "…"
	}
	head := "sk-"
	for _, kind := range []string{"sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"} {
		if strings.HasPrefix(secret, kind) {
			head = kind
		}
	}
	return head + "…" + secret[len(secret)-4:]
}

// ends cuts a redacted value at its stars, dots or ellipsis.
func ends(redacted string) (first, last string) {
	cut := func(r rune) bool { return r == '*' || r == '.' || r == '…' }
	from := strings.IndexFunc(redacted, cut)
	if from < 0 {
		return redacted, ""
	}
	rest := strings.FieldsFunc(redacted[from:], cut)
	if len(rest) == 0 {
		return redacted[:from], ""
	}
	return redacted[:from], rest[len(rest)-1]
}
