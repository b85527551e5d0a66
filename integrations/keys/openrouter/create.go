package openrouter

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
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
	if label == "" {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: a label is needed to find the key again", what))
	}
	old, err := p.key(ctx, like.ID)
	if err != nil {
		return keys.Created{}, err
	}
	if old == nil {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: the old key is gone, so its limits are not known; create one by hand", what))
	}
	want := wanted{strings.TrimSpace(old.Name) + suffix(label), old.Limit, old.Reset, old.BYOK, old.Workspace, old.ExpiresAt}
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
	return keys.Created{Key: p.noun(made.Data), Secret: []byte(made.Key), Receipt: keys.Receipt{
		RequestID: request, Summary: fmt.Sprintf("Created the key %q with the limits of the old one", want.Name), After: map[string]string{"exists": "true"},
	}}, nil
}

// Orphans lists the keys that Create named with label.
func (p *Provider) Orphans(ctx context.Context, _ incident.Key, label string) ([]incident.Key, error) {
	all, err := p.all(ctx)
	var found []incident.Key
	for _, k := range all {
		if label != "" && strings.HasSuffix(k.Name, suffix(label)) {
			found = append(found, p.noun(k))
		}
	}
	return found, err
}

func suffix(label string) string { return " (" + label + ")" }

// Persistence lists the keys that were made since. OpenRouter has no audit log that can be read.
func (p *Provider) Persistence(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	ctx, recorder := tape.Record(ctx)
	all, err := p.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	var traces []keys.Trace
	for _, k := range all {
		if k.CreatedAt.Before(since) || k.Hash == key.ID {
			continue
		}
		t := keys.Trace{Kind: "key_created", What: fmt.Sprintf("key %q (%q)", k.Hash, k.Name), At: k.CreatedAt.UTC()}
		if k.Creator != nil {
			t.Actor = *k.Creator
		}
		traces = append(traces, t)
	}
	return traces, recorder.Evidence("keys"), nil
}
