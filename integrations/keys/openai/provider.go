package openai

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName = "openai"
	pageSize     = 100
)

// Config of one OpenAI organisation and one of its projects.
type Config struct {
	Account  string // name of the account in tourniquet.yaml
	Project  string // project id, as "proj_…"
	BaseURL  string // with /v1; empty means OpenAI's own
	AdminKey string // the responder's own admin key
	Measure  string // how a project is stopped: MeasureSpend (default), MeasureModels or MeasureRates
	// Replacement is the project in which new keys are made. A measure holds the whole project of the stolen key, so that a new
	// key beside it would be stopped, too.
	Replacement string
	HTTPClient  *http.Client // its transport is used below ours; nil means the default
}

// Provider speaks to OpenAI for one project.
type Provider struct {
	cfg   Config
	admin sdk.AdminService
	plain *rest.Client
}

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" || cfg.Project == "" {
		return nil, fmt.Errorf("an openai account needs a name and a project, got account %q and project %q", cfg.Account, cfg.Project)
	}
	if cfg.AdminKey == "" {
		return nil, fmt.Errorf("the openai account %q has no admin key: make one under organisation settings", cfg.Account)
	}
	if cfg.Measure == "" {
		cfg.Measure = MeasureSpend
	}
	if !slices.Contains([]string{MeasureSpend, MeasureModels, MeasureRates}, cfg.Measure) {
		return nil, fmt.Errorf("the openai account %q has the measure %q; there are %s, %s and %s", cfg.Account, cfg.Measure, MeasureSpend, MeasureModels, MeasureRates)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.openai.com/v1"
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/") + "/"
	plain := rest.New(rest.Options{
		Who: who, BaseURL: cfg.BaseURL, Client: cfg.HTTPClient, KeyShape: keyShape, Words: words, RequestID: "x-request-id",
		Header: map[string]string{"Authorization": "Bearer " + cfg.AdminKey},
	})
	admin := sdk.NewAdminService(option.WithBaseURL(cfg.BaseURL), option.WithAdminAPIKey(cfg.AdminKey), option.WithHTTPClient(plain.HTTP()), option.WithMaxRetries(0))
	return &Provider{cfg: cfg, admin: admin, plain: plain}, nil
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can declares what OpenAI offers.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		m := measures[cmp.Or(p.cfg.Measure, MeasureSpend)]
		return keys.Capability{Available: true, Reach: keys.ReachProject, What: m.what, Undo: m.undo}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachProject, What: "Put the project's recorded settings back; a deleted key cannot be restored"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Delete the key for good"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachProject, What: "Create a service account with a new key", Undo: "Delete the unused key"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachKey, Why: "nothing is derived from an OpenAI API key: there are no sessions to end"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Sessions says that there is nothing to end.
func (p *Provider) Sessions(context.Context, incident.Key) (keys.Receipt, error) {
	return keys.Receipt{Summary: "Nothing to end: no sessions are derived from an OpenAI API key", After: map[string]string{}}, nil
}

// Check lists one key, which proves the admin key and the project.
func (p *Provider) Check(ctx context.Context) error {
	return p.read(ctx, fmt.Sprintf("listing the keys of project %q", p.cfg.Project), func() error {
		page, err := p.admin.Organization.Projects.APIKeys.List(ctx, p.cfg.Project, sdk.AdminOrganizationProjectAPIKeyListParams{Limit: sdk.Int(1), OwnerProjectAccess: "any"})
		if err == nil && !page.JSON.Data.Valid() {
			err = errShape
		}
		return err
	})
}

func (p *Provider) project(k incident.Key) string {
	if k.Project != "" {
		return k.Project
	}
	return p.cfg.Project
}

// into keeps the answer, for its request id.
func into(answer **http.Response) option.RequestOption { return option.WithResponseInto(answer) }

func requestID(answer *http.Response) string {
	if answer == nil {
		return ""
	}
	return answer.Header.Get("x-request-id")
}
