package openai

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName = "openai"
	callTimeout  = 30 * time.Second
	bodyLimit    = 16 << 20
	pageSize     = 100
)

// Config of one OpenAI organisation and one of its projects.
type Config struct {
	Account    string       // name of the account in tourniquet.yaml
	Project    string       // project id, as "proj_…"
	BaseURL    string       // with /v1; empty means OpenAI's own
	AdminKey   string       // the responder's own admin key
	HTTPClient *http.Client // its transport is used below ours; nil means the default
}

// Provider speaks to OpenAI for one project.
type Provider struct {
	cfg   Config
	admin sdk.AdminService
	plain *http.Client
}

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" || cfg.Project == "" {
		return nil, fmt.Errorf("an openai account needs a name and a project, got account %q and project %q", cfg.Account, cfg.Project)
	}
	if cfg.AdminKey == "" {
		return nil, fmt.Errorf("the openai account %q has no admin key: make one under organisation settings", cfg.Account)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.openai.com/v1"
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/") + "/"
	var next http.RoundTripper = http.DefaultTransport
	if cfg.HTTPClient != nil && cfg.HTTPClient.Transport != nil {
		next = cfg.HTTPClient.Transport
	}
	plain := &http.Client{Transport: limited{next}, Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	admin := sdk.NewAdminService(option.WithBaseURL(cfg.BaseURL), option.WithAdminAPIKey(cfg.AdminKey), option.WithHTTPClient(plain), option.WithMaxRetries(0))
	return &Provider{cfg: cfg, admin: admin, plain: plain}, nil
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can declares what OpenAI offers.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachProject,
			What: "Limit the whole project's spending to one cent a month: every key of the project is stopped", Undo: "Put the recorded spend limit back, or take the limit off"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachProject, What: "Put the project's recorded spend limit back; a deleted key cannot be restored"}
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
		_, err := p.admin.Organization.Projects.APIKeys.List(ctx, p.cfg.Project, sdk.AdminOrganizationProjectAPIKeyListParams{Limit: sdk.Int(1), OwnerProjectAccess: "any"})
		return err
	})
}

func (p *Provider) project(k incident.Key) string {
	if k.Project != "" {
		return k.Project
	}
	return p.cfg.Project
}
