package openrouter

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

// wanted is a key that is to be made.
type wanted struct {
	Name      string     `json:"name"`
	Limit     *float64   `json:"limit,omitempty"`
	Reset     *string    `json:"limit_reset,omitempty"`
	BYOK      bool       `json:"include_byok_in_limit"`
	Workspace string     `json:"workspace_id,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Create makes a key with the limits of the old one. It is called once; a lost answer is found by Orphans.
func (p *Provider) Create(ctx context.Context, like incident.Key, label string) (keys.Created, error) {
	what := fmt.Sprintf("creating a key like %q", like.ID)
	old, err := p.account().Like(ctx, what, like.ID, label)
	if err != nil {
		return keys.Created{}, err
	}
	want := wanted{hashed.Named(old.Name, label), old.Limit, old.Reset, old.BYOK, old.Workspace, old.ExpiresAt}
	var made struct {
		Data record `json:"data"`
		Key  string `json:"key"`
	}
	request, err := p.router.Do(ctx, rest.Call{What: what, Method: http.MethodPost, Path: "/keys", In: want, Out: &made})
	if err != nil {
		return keys.Created{}, err
	}
	if made.Key == "" || made.Data.Hash == "" {
		return keys.Created{}, fmt.Errorf("%s: OpenRouter's answer holds no key", what)
	}
	return keys.Created{Key: p.noun(made.Data).Key, Secret: []byte(made.Key), Receipt: keys.Receipt{
		RequestID: request, Summary: fmt.Sprintf("Created the key %q with the limits of the old one", want.Name), After: map[string]string{"exists": "true"},
	}}, nil
}

// Orphans lists the keys that Create named with label.
func (p *Provider) Orphans(ctx context.Context, _ incident.Key, label string) ([]incident.Key, error) {
	return p.account().Orphans(ctx, label)
}

// Persistence lists the keys that were made since. OpenRouter has no audit log that can be read.
func (p *Provider) Persistence(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	return p.account().Persistence(ctx, "keys", key, since)
}
