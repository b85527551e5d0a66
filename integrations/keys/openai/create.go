package openai

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Create makes a service account with a key; it is called once, and a lost answer is found by Orphans.
func (p *Provider) Create(ctx context.Context, like incident.Key, label string) (keys.Created, error) {
	what := fmt.Sprintf("creating a key like %q", like.ID)
	if label == "" {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: a label is needed to find the key again", what))
	}
	if isAdmin(like) {
		return p.createAdmin(ctx, what, like, label)
	}
	project := p.newProject(like)
	name := strings.TrimSpace(like.Name) + suffix(label)
	made, err := p.admin.Organization.Projects.ServiceAccounts.New(ctx, project, sdk.AdminOrganizationProjectServiceAccountNewParams{Name: name})
	if err != nil {
		return keys.Created{}, explain(what, err)
	}
	if made.APIKey.Value == "" || made.APIKey.ID == "" {
		return keys.Created{}, fmt.Errorf("%s: OpenAI's answer for the service account %q holds no key", what, made.ID)
	}
	return keys.Created{
		Key: incident.Key{
			Provider: providerName, Account: p.cfg.Account, Project: project, ID: made.APIKey.ID, Name: name,
			Hint: hintOf(made.APIKey.Value), OwnerKind: "service_account", Dependents: []incident.Dependent{},
		},
		Secret:  []byte(made.APIKey.Value),
		Receipt: keys.Receipt{RequestID: made.ID, Summary: fmt.Sprintf("Created the service account %q with one key", name), After: map[string]string{"exists": "true"}},
	}, nil
}

// Orphans lists the keys of service accounts that Create named with label.
func (p *Provider) Orphans(ctx context.Context, like incident.Key, label string) ([]incident.Key, error) {
	if isAdmin(like) {
		return p.adminOrphans(ctx, label)
	}
	project := p.newProject(like)
	all, err := p.list(ctx, project)
	if err != nil || label == "" {
		return nil, err
	}
	var found []incident.Key
	for _, k := range all {
		if k.Owner.Type == "service_account" && strings.HasSuffix(k.Owner.ServiceAccount.Name, suffix(label)) {
			found = append(found, p.noun(k, project))
		}
	}
	return found, nil
}

func (p *Provider) adminOrphans(ctx context.Context, label string) ([]incident.Key, error) {
	all, err := p.adminKeys(ctx)
	var found []incident.Key
	for _, k := range all {
		if label != "" && strings.HasSuffix(k.Name, suffix(label)) {
			found = append(found, p.adminNoun(k))
		}
	}
	return found, err
}

// newProject is where a key in place of like is made.
func (p *Provider) newProject(like incident.Key) string {
	if p.cfg.Replacement != "" {
		return p.cfg.Replacement
	}
	return p.project(like)
}

func suffix(label string) string { return " (" + label + ")" }
