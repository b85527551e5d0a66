package anthropic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
)

const (
	providerName = "anthropic"
	who          = "Anthropic"
	apiVersion   = "2023-06-01"
	pageSize     = 1000
)

var errNoList = errors.New("the answer holds no list of keys")

var keyShape = regexp.MustCompile(`sk-ant-[0-9A-Za-z_-]{8,}`)

// Config of one Anthropic organisation.
type Config struct {
	Account    string        // name of the account in tourniquet.yaml
	AdminKey   string        // the responder's own, sk-ant-admin…
	BaseURL    string        // empty means Anthropic's own
	HTTPClient *http.Client  // its transport is used below ours; nil means the default
	Prices     *prices.Table // what tokens cost; nil means that nobody can say
	Now        func() time.Time
}

// Provider speaks to Anthropic for one organisation.
type Provider struct {
	cfg   Config
	admin sdk.OrganizationService
	plain *rest.Client
}

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" {
		return nil, fmt.Errorf("an anthropic account needs a name")
	}
	if cfg.AdminKey == "" {
		return nil, fmt.Errorf("the anthropic account %q has no admin key: make one in Anthropic's console under admin keys", cfg.Account)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.anthropic.com"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	plain := rest.New(rest.Options{
		Who: who, BaseURL: cfg.BaseURL, Client: cfg.HTTPClient, KeyShape: keyShape, Words: words, RequestID: "request-id",
		Header: map[string]string{"X-Api-Key": cfg.AdminKey, "anthropic-version": apiVersion},
	})
	admin := sdk.NewOrganizationService(
		option.WithBaseURL(cfg.BaseURL), option.WithAPIKey(cfg.AdminKey), option.WithHTTPClient(plain.HTTP()), option.WithMaxRetries(0),
	)
	return &Provider{cfg: cfg, admin: admin, plain: plain}, nil
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can declares what Anthropic offers.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Set the key inactive", Undo: "Set the key active again"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Set the key to the status that it had; an archived key is not brought back"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Archive the key for good"}
	case keys.OpCreate:
		return keys.Capability{Reach: keys.ReachKey, ByHand: "Anthropic's console, under API keys, in the workspace of the old key",
			Why: "Anthropic has no call that makes a key; a person makes it in Anthropic's console"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachKey, Why: "nothing is derived from an Anthropic API key: there are no sessions to end"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Create is for people: Anthropic has no call for it.
func (p *Provider) Create(_ context.Context, like incident.Key, _ string) (keys.Created, error) {
	return keys.Created{}, fmt.Errorf("creating a key like %q: %w: %s", like.ID, keys.ErrUnsupported, p.Can(keys.OpCreate).Why)
}

// Orphans are none: nothing is made through the API.
func (p *Provider) Orphans(context.Context, incident.Key, string) ([]incident.Key, error) {
	return nil, nil
}

// Sessions says that there is nothing to end.
func (p *Provider) Sessions(context.Context, incident.Key) (keys.Receipt, error) {
	return keys.Receipt{Summary: "Nothing to end: no sessions are derived from an Anthropic API key", After: map[string]string{}}, nil
}

// Check lists one key, which proves the admin key.
func (p *Provider) Check(ctx context.Context) error {
	return p.read(ctx, "listing the organisation's keys", func() error {
		page, err := p.admin.APIKeys.List(ctx, sdk.OrganizationAPIKeyListParams{Limit: sdk.Int(1)})
		if err == nil && !page.JSON.Data.Valid() {
			err = errNoList
		}
		return err
	})
}
