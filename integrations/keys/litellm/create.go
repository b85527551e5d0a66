package litellm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/hashed"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// wanted is a key that is to be generated. What is empty is left out: an empty list of models would mean all.
type wanted struct {
	Alias     string   `json:"key_alias"`
	Team      *string  `json:"team_id,omitempty"`
	User      *string  `json:"user_id,omitempty"`
	Models    []string `json:"models,omitempty"`
	MaxBudget *float64 `json:"max_budget,omitempty"`
	Period    *string  `json:"budget_duration,omitempty"`
	TPM       *int64   `json:"tpm_limit,omitempty"`
	RPM       *int64   `json:"rpm_limit,omitempty"`
}

// Create generates a key with the limits of the old one. It is called once; a lost answer is found by Orphans.
func (p *Provider) Create(ctx context.Context, like incident.Key, label string) (keys.Created, error) {
	what := fmt.Sprintf("generating a key like %q", like.ID)
	old, err := p.account().Like(ctx, what, like.ID, label)
	if err != nil {
		return keys.Created{}, err
	}
	want := wanted{hashed.Named(old.Alias, label), old.Team, old.User, old.Models, old.MaxBudget, old.Period, old.TPM, old.RPM}
	var made struct {
		Key   string `json:"key"`
		Token string `json:"token"`
		Name  string `json:"key_name"`
	}
	request, err := p.proxy.Do(ctx, rest.Call{What: what, Method: http.MethodPost, Path: "/key/generate", In: want, Out: &made})
	if err != nil {
		return keys.Created{}, err
	}
	if made.Key == "" {
		return keys.Created{}, fmt.Errorf("%s: the proxy's answer holds no key", what)
	}
	key := p.noun(record{Token: hashed.ID([]byte(made.Key)), Name: made.Key[:3] + "..." + made.Key[max(len(made.Key)-4, 0):], Alias: want.Alias, Team: want.Team})
	return keys.Created{Key: key.Key, Secret: []byte(made.Key), Receipt: keys.Receipt{
		RequestID: request, Summary: fmt.Sprintf("Generated the key %q with the limits of the old one", want.Alias), After: map[string]string{"exists": "true"},
	}}, nil
}

// Orphans lists the keys that Create named with label.
func (p *Provider) Orphans(ctx context.Context, _ incident.Key, label string) ([]incident.Key, error) {
	return p.account().Orphans(ctx, label)
}

// Persistence lists the keys that were generated since.
func (p *Provider) Persistence(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	return p.account().Persistence(ctx, "key-list", key, since)
}
