package azureopenai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName = "azure_openai"
	callTimeout  = 30 * time.Second
	armEndpoint  = "https://management.azure.com"
)

// Config of one Azure OpenAI resource.
type Config struct {
	Account       string // name of the account in tourniquet.yaml
	Subscription  string // subscription id
	ResourceGroup string
	Resource      string // name of the resource
	Credential    azcore.TokenCredential
	ARM           string       // address of Azure Resource Manager; empty means the public cloud's
	Inference     string       // address of the resource; empty means https://RESOURCE.openai.azure.com
	HTTPClient    *http.Client // its transport is used below ours; nil means the default

	MicroUSDPerRequest int64  // estimate of one model call, millionths of a dollar; 0 means that cost is unknown
	PriceBasis         string // where that estimate comes from
}

// Provider speaks to one resource.
type Provider struct {
	cfg      Config
	plain    *http.Client
	accounts *armcognitiveservices.AccountsClient
	monitor  *arm.Client
}

var nameShape = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._()-]{0,89}$`)

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" {
		return nil, errors.New("an azure_openai account needs a name")
	}
	for what, v := range map[string]string{"subscription": cfg.Subscription, "resource_group": cfg.ResourceGroup, "resource": cfg.Resource} {
		if !nameShape.MatchString(v) {
			return nil, fmt.Errorf("the azure_openai account %q has no usable %s: %q", cfg.Account, what, v)
		}
	}
	if cfg.Credential == nil {
		return nil, fmt.Errorf("the azure_openai account %q has no credentials", cfg.Account)
	}
	if cfg.ARM == "" {
		cfg.ARM = armEndpoint
	}
	if cfg.Inference == "" {
		cfg.Inference = "https://" + cfg.Resource + ".openai.azure.com"
	}
	cfg.ARM, cfg.Inference = strings.TrimSuffix(cfg.ARM, "/"), strings.TrimSuffix(cfg.Inference, "/")
	p := &Provider{cfg: cfg, plain: tape.Transport{Next: tape.Next(cfg.HTTPClient), Judge: judgeAnswer}.Client(callTimeout)}
	var err error
	if p.accounts, err = armcognitiveservices.NewAccountsClient(cfg.Subscription, cfg.Credential, p.options()); err != nil {
		return nil, fmt.Errorf("the azure_openai account %q: %w", cfg.Account, err)
	}
	if p.monitor, err = arm.NewClient("tourniquet", "v1.0.0", cfg.Credential, p.options()); err != nil {
		return nil, fmt.Errorf("the azure_openai account %q: %w", cfg.Account, err)
	}
	return p, nil
}

// options switch the client's own retries off: regenerating a key twice ends two keys.
func (p *Provider) options() *arm.ClientOptions {
	return &arm.ClientOptions{DisableRPRegistration: true, ClientOptions: policy.ClientOptions{
		Transport: p.plain, Retry: policy.RetryOptions{MaxRetries: -1}, InsecureAllowCredentialWithHTTP: loopback(p.cfg.ARM),
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: p.cfg.ARM, Audience: armEndpoint},
		}},
	}}
}

// loopback reports an address on this machine: nowhere else is a token sent without TLS.
func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	at, err := netip.ParseAddr(u.Hostname())
	return err == nil && at.IsLoopback()
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can declares what Azure offers.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachAccount,
			What: "Switch key authentication off for the whole resource: both keys stop within minutes, Entra ID goes on", Undo: "Switch key authentication on again"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachAccount, What: "Switch key authentication on again, as it was; a regenerated key stays regenerated"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Regenerate the key: its value is dead for good, and whoever still uses it stops. Only while the resource takes keys"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachKey, Borrowed: true,
			What: "Hand over the value of the resource's other key: Azure makes no third one. Only while the resource takes keys", Undo: "Nothing was made, so nothing has to be deleted"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachKey, Why: "nothing is derived from an Azure OpenAI key: there are no sessions to end"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Sessions says that there is nothing to end.
func (p *Provider) Sessions(context.Context, incident.Key) (keys.Receipt, error) {
	return keys.Receipt{Summary: "Nothing to end: no sessions are derived from an Azure OpenAI key", After: map[string]string{}}, nil
}

// Check reads the resource, lists its keys, and asks Azure Monitor; it changes nothing.
func (p *Provider) Check(ctx context.Context) error {
	if _, err := p.localAuth(ctx); err != nil {
		return err
	}
	if _, err := p.slots(ctx); err != nil {
		return err
	}
	now := time.Now()
	_, err := p.metrics(ctx, now.Add(-time.Hour), now)
	return err
}
