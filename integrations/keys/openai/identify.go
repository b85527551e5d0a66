package openai

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Identify finds keys by id, by value or by hint. OpenAI shows only the first and last characters of a value, so a value or a
// hint may fit several keys: all are returned, and somebody must choose. Admin keys are looked at only where the clue may mean one.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	if clue.ID != "" {
		return p.byID(ctx, clue.ID)
	}
	hint := clue.Hint
	if len(secret) > 0 {
		hint = hintOf(string(secret))
	}
	if _, last := keys.Ends(hint); len(last) < 3 {
		return nil, nil
	}
	var found []incident.Key
	for _, project := range p.projects() {
		all, err := p.list(ctx, project)
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			if keys.HintFits(k.RedactedValue, hint) {
				found = append(found, p.noun(k, project))
			}
		}
	}
	if !strings.HasPrefix(hint, "sk-admin-") && !strings.HasPrefix(hint, "sk-…") {
		return found, nil
	}
	all, err := p.adminKeys(ctx)
	for _, k := range all {
		if keys.HintFits(k.RedactedValue, hint) {
			found = append(found, p.adminNoun(k))
		}
	}
	return found, err
}

// projects whose keys are ours: the configured one, and the one in which replacements are made.
func (p *Provider) projects() []string {
	if p.cfg.Replacement == "" || p.cfg.Replacement == p.cfg.Project {
		return []string{p.cfg.Project}
	}
	return []string{p.cfg.Project, p.cfg.Replacement}
}

func (p *Provider) byID(ctx context.Context, id string) ([]incident.Key, error) {
	for _, project := range p.projects() {
		k, err := p.key(ctx, incident.Key{ID: id, Project: project})
		if err != nil {
			return nil, err
		}
		if k != nil {
			return []incident.Key{p.noun(*k, project)}, nil
		}
	}
	k, err := p.adminKey(ctx, id)
	if err != nil || k == nil {
		return nil, err
	}
	return []incident.Key{p.adminNoun(*k)}, nil
}

// key reads one key; nil means that OpenAI knows none of this id.
func (p *Provider) key(ctx context.Context, key incident.Key) (*sdk.ProjectAPIKey, error) {
	var k *sdk.ProjectAPIKey
	err := p.read(ctx, fmt.Sprintf("reading the key %q", key.ID), func() (err error) {
		if k, err = p.admin.Organization.Projects.APIKeys.Get(ctx, p.project(key), key.ID); err == nil && k.ID == "" {
			err = errShape
		}
		return err
	})
	if missing(err) {
		return nil, nil
	}
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

func (p *Provider) noun(k sdk.ProjectAPIKey, project string) incident.Key {
	head, tail := keys.Ends(k.RedactedValue)
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: project, ID: k.ID, Name: k.Name, Hint: head + "…" + tail,
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
