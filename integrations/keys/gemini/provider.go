package gemini

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	apikeys "google.golang.org/api/apikeys/v2"
	iam "google.golang.org/api/iam/v1"
	logging "google.golang.org/api/logging/v2"
	monitoring "google.golang.org/api/monitoring/v3"
	"google.golang.org/api/option"
	serviceusage "google.golang.org/api/serviceusage/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName      = "gemini"
	generativeService = "generativelanguage.googleapis.com"
	callTimeout       = 30 * time.Second
	bodyLimit         = 16 << 20
)

// Endpoints are base URLs; an empty one means Google's own.
type Endpoints struct {
	APIKeys      string
	ServiceUsage string
	Monitoring   string
	Logging      string
	Generative   string
	IAM          string
	Token        string // where service accounts get tokens, whole
}

// How an API key is contained.
const (
	MeasureRestrictions = "restrictions" // the key alone; the default
	MeasureService      = "service"      // the Gemini API of the whole project
)

// Config of one Google Cloud project.
type Config struct {
	Account     string // name of the account in tourniquet.yaml
	Project     string // project id
	Endpoints   Endpoints
	HTTPClient  *http.Client       // its transport is used below ours; nil means the default
	TokenSource oauth2.TokenSource // of the responder's own identity, scope cloud-platform
	Measure     string             // MeasureRestrictions (default) or MeasureService

	MicroUSDPerRequest int64         // estimate of what one model call costs, in millionths of a dollar; 0 means unknown
	PriceBasis         string        // where that estimate comes from, as "configured price, 2026-11-01"
	OperationTimeout   time.Duration // how long a long-running operation may take; default 60 s
	Now                func() time.Time
}

// Provider speaks to Google for one project.
type Provider struct {
	cfg        Config
	keys       *apikeys.Service
	services   *serviceusage.Service
	monitoring *monitoring.Service
	logging    *logging.Service
	iam        *iam.Service
	plain      *http.Client // without the responder's token, for Probe
}

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" || cfg.Project == "" {
		return nil, fmt.Errorf("a gemini account needs a name and a project, got account %q and project %q", cfg.Account, cfg.Project)
	}
	if cfg.TokenSource == nil {
		return nil, fmt.Errorf("the gemini account %q has no credentials: give it a service account or application default credentials", cfg.Account)
	}
	if cfg.OperationTimeout == 0 {
		cfg.OperationTimeout = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Measure != "" && cfg.Measure != MeasureRestrictions && cfg.Measure != MeasureService {
		return nil, fmt.Errorf("the gemini account %q has the measure %q; there are %q and %q", cfg.Account, cfg.Measure, MeasureRestrictions, MeasureService)
	}
	if cfg.Endpoints.Token == "" {
		cfg.Endpoints.Token = tokenAudience
	}
	if cfg.Endpoints.Generative == "" {
		cfg.Endpoints.Generative = "https://" + generativeService
	}
	p := &Provider{cfg: cfg, plain: plainClient(cfg.HTTPClient)}
	return p, p.connect()
}

func (p *Provider) connect() error {
	client := adminClient(p.plain, p.cfg.TokenSource)
	with := func(endpoint string) []option.ClientOption {
		opts := []option.ClientOption{option.WithHTTPClient(client)}
		if endpoint != "" {
			opts = append(opts, option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/"))
		}
		return opts
	}
	ctx, e := context.Background(), p.cfg.Endpoints
	var err error
	if p.keys, err = apikeys.NewService(ctx, with(e.APIKeys)...); err != nil {
		return err
	}
	if p.services, err = serviceusage.NewService(ctx, with(e.ServiceUsage)...); err != nil {
		return err
	}
	if p.monitoring, err = monitoring.NewService(ctx, with(e.Monitoring)...); err != nil {
		return err
	}
	if p.logging, err = logging.NewService(ctx, with(e.Logging)...); err != nil {
		return err
	}
	p.iam, err = iam.NewService(ctx, with(e.IAM)...)
	return err
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// CanKey implements keys.Varied: a service account's key can be disabled, and something is derived from it.
func (p *Provider) CanKey(op keys.Op, key incident.Key) keys.Capability {
	if isAccountKey(key.ID) {
		return canAccount(op)
	}
	return p.Can(op)
}

// Can declares what Google offers for an API key.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		if p.cfg.Measure == MeasureService {
			return p.CanStop()
		}
		return keys.Capability{Available: true, Reach: keys.ReachKey,
			What: "Restrict the key so that it can call no API from any address", Undo: "Put the recorded restrictions back"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachKey,
			What: "Put the key's recorded restrictions back, undeleting it first where it was deleted (possible for 30 days)"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey,
			What: "Delete the key; it may go on working for 8 to 23 minutes, and Google can undelete it for 30 days"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachProject,
			What: "Create a key that may call the Gemini API only", Undo: "Delete the unused key"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachKey, Why: "nothing is derived from a Google API key: there are no sessions to end"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Sessions ends the tokens of a service account; from an API key nothing is derived.
func (p *Provider) Sessions(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if isAccountKey(key.ID) {
		return p.accountSessions(ctx, key)
	}
	return keys.Receipt{Summary: "Nothing to end: no sessions are derived from a Google API key", After: map[string]string{}}, nil
}

// Check reads one page of keys and the state of the Gemini API, which proves the credentials and the project.
func (p *Provider) Check(ctx context.Context) error {
	return p.read(ctx, fmt.Sprintf("listing the keys of project %q", p.cfg.Project), func() error {
		if _, err := p.keys.Projects.Locations.Keys.List(p.parent(p.cfg.Project)).PageSize(1).Context(ctx).Do(); err != nil {
			return err
		}
		got, err := p.services.Services.Get("projects/" + p.cfg.Project + "/services/" + generativeService).Context(ctx).Do()
		if err == nil && got.State != "ENABLED" {
			return keys.Permanent(fmt.Errorf("the Gemini API is %q in project %q: enable %s or remove the account", got.State, p.cfg.Project, generativeService))
		}
		return err
	})
}

func (p *Provider) parent(project string) string { return "projects/" + project + "/locations/global" }

// resource is the full name of a key.
func (p *Provider) resource(k incident.Key) string {
	project := k.Project
	if project == "" {
		project = p.cfg.Project
	}
	return p.parent(project) + "/keys/" + k.ID
}
