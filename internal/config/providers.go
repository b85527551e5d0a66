package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Providers are the configured accounts. To add a provider: a list here and in accounts, and a type whose method says
// its addresses and secrets.
type Providers struct {
	Gemini     []Gemini     `yaml:"gemini"`
	OpenAI     []OpenAI     `yaml:"openai"`
	Anthropic  []Anthropic  `yaml:"anthropic"`
	OpenRouter []OpenRouter `yaml:"openrouter"`
	LiteLLM    []LiteLLM    `yaml:"litellm"`

	Bedrock     []Bedrock     `yaml:"bedrock"`
	AzureOpenAI []AzureOpenAI `yaml:"azure_openai"`
}

// Gemini is one Google Cloud project.
type Gemini struct {
	Account         string            `yaml:"account"`
	Project         string            `yaml:"project"`
	AccessToken     Secret            `yaml:"access_token"`     // a fixed token, for tests and drills
	CredentialsFile string            `yaml:"credentials_file"` // service account or workload identity; default: application default credentials
	Endpoints       map[string]string `yaml:"endpoints"`        // api_keys service_usage monitoring logging generative iam token
	Measure         string            `yaml:"measure"`          // restrictions (default) or service: how an API key is contained

	MicroUSDPerRequest int64  `yaml:"micro_usd_per_request"` // estimate of one model call, millionths of a dollar
	PriceBasis         string `yaml:"price_basis"`           // where that estimate comes from
}

// OpenAI is one project of an organisation.
type OpenAI struct {
	Account  string `yaml:"account"`
	Project  string `yaml:"project"` // proj_…
	AdminKey Secret `yaml:"admin_key"`
	BaseURL  string `yaml:"base_url"`
	Measure  string `yaml:"measure"` // spend_limit (default), model_deny_list or rate_limits

	ReplacementProject string `yaml:"replacement_project"` // where new keys are made; a measure holds the whole project of the stolen one
}

// Anthropic is one organisation.
type Anthropic struct {
	Account  string `yaml:"account"`
	AdminKey Secret `yaml:"admin_key"` // sk-ant-admin…
	BaseURL  string `yaml:"base_url"`
}

// OpenRouter is one account.
type OpenRouter struct {
	Account       string `yaml:"account"`
	ManagementKey Secret `yaml:"management_key"`
	BaseURL       string `yaml:"base_url"`
}

// LiteLLM is one proxy.
type LiteLLM struct {
	Account   string `yaml:"account"`
	MasterKey Secret `yaml:"master_key"` // or another admin key
	BaseURL   string `yaml:"base_url"`   // of the proxy; needed
}

// account is what the checks and doctor want to know of a configured account.
type account struct {
	at      string // its place in the file
	urls    map[string]string
	secrets map[string]Secret
	reach   string // an address that it talks to, for comparing clocks
}

// accounts are all of them, in the order of the file.
func (p Providers) accounts() []account {
	var out []account
	out = append(out, each("gemini", p.Gemini)...)
	out = append(out, each("openai", p.OpenAI)...)
	out = append(out, each("anthropic", p.Anthropic)...)
	out = append(out, each("openrouter", p.OpenRouter)...)
	out = append(out, each("litellm", p.LiteLLM)...)
	out = append(out, each("bedrock", p.Bedrock)...)
	return append(out, each("azure_openai", p.AzureOpenAI)...)
}

// Names are the providers that have an account, in the order of the file.
func (p Providers) Names() []string {
	var out []string
	for _, a := range p.accounts() {
		if name := strings.TrimPrefix(a.at, "providers."); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func each[T interface{ account() account }](name string, list []T) []account {
	var out []account
	for _, one := range list {
		a := one.account()
		a.at = "providers." + name
		out = append(out, a)
	}
	return out
}

// Servers are the addresses that the accounts talk to, one for each.
func (p Providers) Servers() []string {
	var out []string
	for _, a := range p.accounts() {
		if a.reach != "" {
			out = append(out, a.reach)
		}
	}
	return out
}

func (p Providers) urls() (out [][2]string) {
	for _, a := range p.accounts() {
		for _, name := range slices.Sorted(maps.Keys(a.urls)) {
			out = append(out, [2]string{a.at + "." + name, a.urls[name]})
		}
	}
	return out
}

func (p Providers) secrets() (out []named) {
	for _, a := range p.accounts() {
		for _, name := range slices.Sorted(maps.Keys(a.secrets)) {
			out = append(out, named{a.at + "." + name, a.secrets[name]})
		}
	}
	return out
}

func (g Gemini) account() account {
	return account{urls: endpoints(g.Endpoints), secrets: map[string]Secret{"access_token": g.AccessToken}, reach: or(g.Endpoints["api_keys"], "https://apikeys.googleapis.com/")}
}

func (o OpenAI) account() account {
	return account{urls: base(o.BaseURL), secrets: map[string]Secret{"admin_key": o.AdminKey}, reach: or(o.BaseURL, "https://api.openai.com/")}
}

func (a Anthropic) account() account {
	return account{urls: base(a.BaseURL), secrets: map[string]Secret{"admin_key": a.AdminKey}, reach: or(a.BaseURL, "https://api.anthropic.com/")}
}

func (o OpenRouter) account() account {
	return account{urls: base(o.BaseURL), secrets: map[string]Secret{"management_key": o.ManagementKey}, reach: or(o.BaseURL, "https://openrouter.ai/")}
}

func (l LiteLLM) account() account {
	return account{urls: base(l.BaseURL), secrets: map[string]Secret{"master_key": l.MasterKey}, reach: l.BaseURL}
}

func base(url string) map[string]string { return map[string]string{"base_url": url} }

func or(url, otherwise string) string {
	if url != "" {
		return url
	}
	return otherwise
}

// check finds what no account can do without.
func (p Providers) check() (faults []error) {
	for i, l := range p.LiteLLM {
		if l.BaseURL == "" {
			faults = append(faults, fmt.Errorf("providers.litellm[%d].base_url: is needed: a proxy has no address of its own", i))
		}
	}
	return append(faults, p.checkClouds()...)
}
