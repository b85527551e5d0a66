package litellm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/hashed"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// record is a key as the proxy keeps it. Its value is not there.
type record struct {
	Token   string `json:"token"`     // SHA-256 of the value
	Name    string `json:"key_name"`  // "sk-...1234"
	Alias   string `json:"key_alias"` // unique
	Blocked *bool  `json:"blocked"`   // null means no

	Team      *string         `json:"team_id"`
	User      *string         `json:"user_id"`
	Models    []string        `json:"models"`
	MaxBudget *float64        `json:"max_budget"`
	Period    *string         `json:"budget_duration"`
	TPM       *int64          `json:"tpm_limit"`
	RPM       *int64          `json:"rpm_limit"`
	CreatedAt time.Time       `json:"created_at"`
	CreatedBy string          `json:"created_by"`
	Metadata  json.RawMessage `json:"metadata"`
}

func (r record) blocked() bool { return r.Blocked != nil && *r.Blocked }

type list struct {
	Keys  []record `json:"keys"`
	Pages int      `json:"total_pages"`
}

const (
	pageSize  = 100
	mostPages = 1000
)

// Identify finds keys by id (the SHA-256 of the value), by value, or by hint. A hint may fit several keys.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	return p.account().Identify(ctx, clue, secret)
}

// key reads one key; nil means that the proxy knows none of this id.
func (p *Provider) key(ctx context.Context, id string) (*record, error) {
	var got struct {
		Key  string `json:"key"`
		Info record `json:"info"`
	}
	err := p.proxy.Read(ctx, rest.Call{What: fmt.Sprintf("reading the key %q", id), Method: http.MethodGet, Path: "/key/info", Query: url.Values{"key": {id}}, Out: &got})
	if rest.Status(err) == http.StatusNotFound {
		return nil, nil
	}
	if err == nil && got.Key == "" {
		err = fmt.Errorf("reading the key %q: the proxy's answer holds no key", id)
	}
	if got.Info.Token == "" {
		got.Info.Token = id
	}
	return &got.Info, err
}

// all reads every key of the proxy.
func (p *Provider) all(ctx context.Context) ([]record, error) {
	var out []record
	for page := 1; page <= mostPages; page++ {
		var got struct {
			Keys  *[]record `json:"keys"`
			Pages int       `json:"total_pages"`
		}
		query := url.Values{"return_full_object": {"true"}, "page": {strconv.Itoa(page)}, "size": {strconv.Itoa(pageSize)}}
		if err := p.proxy.Read(ctx, rest.Call{What: "listing the proxy's keys", Method: http.MethodGet, Path: "/key/list", Query: query, Out: &got}); err != nil {
			return nil, err
		}
		if got.Keys == nil {
			return nil, fmt.Errorf("listing the proxy's keys: the answer holds no list")
		}
		out = append(out, *got.Keys...)
		if page >= got.Pages || len(*got.Keys) == 0 {
			return out, nil
		}
	}
	return nil, keys.Permanent(fmt.Errorf("listing the proxy's keys: there are more than %d pages", mostPages))
}

// List implements keys.Lister.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) { return p.account().List(ctx) }

var _ keys.Lister = (*Provider)(nil)

// account is what hashed needs to know of this proxy.
func (p *Provider) account() hashed.Account[record] {
	return hashed.Account[record]{
		Who: fmt.Sprintf("the proxy of account %q", p.cfg.Account), One: p.key, All: p.all, Read: p.noun, Field: "blocked", By: "unblock it",
	}
}

func (p *Provider) noun(k record) hashed.Key {
	head, tail := keys.Ends(k.Name)
	out := hashed.Key{Hint: k.Name, Off: k.blocked(), CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy, Key: incident.Key{
		Provider: providerName, Account: p.cfg.Account, ID: k.Token, Name: strings.TrimSpace(k.Alias), Hint: head + "…" + tail, Dependents: []incident.Dependent{},
	}}
	if k.Team != nil {
		out.Project = *k.Team
	}
	return out
}
