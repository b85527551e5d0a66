package openrouter

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/hashed"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// record is a key as OpenRouter shows it: never with its value.
type record struct {
	Hash      string     `json:"hash"` // SHA-256 of the value
	Name      string     `json:"name"`
	Label     string     `json:"label"` // "sk-or-v1-0e6…1c96"
	Disabled  bool       `json:"disabled"`
	Limit     *float64   `json:"limit"`
	Reset     *string    `json:"limit_reset"`
	BYOK      bool       `json:"include_byok_in_limit"`
	Workspace string     `json:"workspace_id"`
	Creator   *string    `json:"creator_user_id"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	Today     float64    `json:"usage_daily"` // dollars of the current UTC day
}

// Identify finds keys by id (the SHA-256 of the value), by value, or by hint. A hint may fit several keys.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	return p.account().Identify(ctx, clue, secret)
}

// key reads one key; nil means that OpenRouter knows none of this hash.
func (p *Provider) key(ctx context.Context, id string) (*record, error) {
	var got struct {
		Data record `json:"data"`
	}
	what := fmt.Sprintf("reading the key %q", id)
	err := p.router.Read(ctx, rest.Call{What: what, Method: http.MethodGet, Path: "/keys/" + url.PathEscape(id), Out: &got})
	if rest.Status(err) == http.StatusNotFound {
		return nil, nil
	}
	if err == nil && got.Data.Hash == "" {
		err = fmt.Errorf("%s: OpenRouter's answer holds no key", what)
	}
	return &got.Data, err
}

// mostKeys bounds a list that never ends.
const mostKeys = 100_000

func (p *Provider) page(ctx context.Context, offset int) ([]record, error) {
	var got struct {
		Data *[]record `json:"data"`
	}
	query := url.Values{"include_disabled": {"true"}, "offset": {strconv.Itoa(offset)}}
	if err := p.router.Read(ctx, rest.Call{What: "listing the account's keys", Method: http.MethodGet, Path: "/keys", Query: query, Out: &got}); err != nil {
		return nil, err
	}
	if got.Data == nil {
		return nil, fmt.Errorf("listing the account's keys: OpenRouter's answer holds no list")
	}
	return *got.Data, nil
}

// all reads every key of the account: pages end with an empty one, because no answer says how many there are.
func (p *Provider) all(ctx context.Context) ([]record, error) {
	var out []record
	for len(out) < mostKeys {
		page, err := p.page(ctx, len(out))
		if err != nil || len(page) == 0 {
			return out, err
		}
		out = append(out, page...)
	}
	return nil, keys.Permanent(fmt.Errorf("listing the account's keys: there are more than %d", mostKeys))
}

// List implements keys.Lister.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) { return p.account().List(ctx) }

var _ keys.Lister = (*Provider)(nil)

// account is what hashed needs to know of this one.
func (p *Provider) account() hashed.Account[record] {
	return hashed.Account[record]{
		Who: fmt.Sprintf("OpenRouter in account %q", p.cfg.Account), One: p.key, All: p.all, Read: p.noun, Field: "disabled", By: "enable it",
	}
}

func (p *Provider) noun(k record) hashed.Key {
	head, tail := keys.Ends(k.Label)
	out := hashed.Key{Hint: k.Label, Off: k.Disabled, CreatedAt: k.CreatedAt, Key: incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: k.Workspace, ID: k.Hash, Name: k.Name, Hint: head + "…" + tail, Dependents: []incident.Dependent{},
	}}
	if k.Creator != nil {
		out.CreatedBy = *k.Creator
	}
	return out
}
