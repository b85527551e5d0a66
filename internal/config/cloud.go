package config

import (
	"fmt"
	"strings"
)

// Bedrock is one AWS account.
type Bedrock struct {
	Account         string            `yaml:"account"`
	AccountID       string            `yaml:"account_id"`        // twelve digits
	Regions         []string          `yaml:"regions"`           // in which models may be called
	AccessKeyID     Secret            `yaml:"access_key_id"`     // of the responder's own user; default: AWS's own search
	SecretAccessKey Secret            `yaml:"secret_access_key"` // goes with it
	Profile         string            `yaml:"profile"`           // of AWS's configuration files
	RoleARN         string            `yaml:"role_arn"`          // taken on with the credentials above
	Endpoints       map[string]string `yaml:"endpoints"`         // iam sts cloudtrail bedrock cost_explorer; {region} is replaced

	MicroUSDPerRequest int64  `yaml:"micro_usd_per_request"` // estimate of one model call, millionths of a dollar
	PriceBasis         string `yaml:"price_basis"`           // where that estimate comes from
}

// Region is where calls go that need any.
func (b Bedrock) Region() string {
	if len(b.Regions) == 0 {
		return "us-east-1"
	}
	return b.Regions[0]
}

func (b Bedrock) account() account {
	urls := endpoints(b.Endpoints)
	for name, url := range urls {
		urls[name] = strings.ReplaceAll(url, "{region}", b.Region())
	}
	return account{urls: urls, secrets: map[string]Secret{"access_key_id": b.AccessKeyID, "secret_access_key": b.SecretAccessKey},
		reach: or(urls["endpoints.sts"], "https://sts."+b.Region()+".amazonaws.com/")}
}

// AzureOpenAI is one Azure OpenAI resource.
type AzureOpenAI struct {
	Account       string            `yaml:"account"`
	Subscription  string            `yaml:"subscription"`
	ResourceGroup string            `yaml:"resource_group"`
	Resource      string            `yaml:"resource"`
	TenantID      string            `yaml:"tenant_id"`
	ClientID      string            `yaml:"client_id"`
	ClientSecret  Secret            `yaml:"client_secret"` // of an application; default: Azure's own search
	AccessToken   Secret            `yaml:"access_token"`  // a fixed token, for tests and drills
	Endpoints     map[string]string `yaml:"endpoints"`     // arm inference

	MicroUSDPerRequest int64  `yaml:"micro_usd_per_request"` // estimate of one model call, millionths of a dollar
	PriceBasis         string `yaml:"price_basis"`           // where that estimate comes from
}

func (a AzureOpenAI) account() account {
	return account{urls: endpoints(a.Endpoints), secrets: map[string]Secret{"client_secret": a.ClientSecret, "access_token": a.AccessToken},
		reach: or(a.Endpoints["arm"], "https://management.azure.com/")}
}

// endpoints names the addresses of a section.
func endpoints(of map[string]string) map[string]string {
	out := map[string]string{}
	for name, url := range of {
		out["endpoints."+name] = url
	}
	return out
}

// checkClouds finds what an account of a cloud cannot do without, and endpoints that nobody asks.
func (p Providers) checkClouds() (faults []error) {
	known := func(at string, have map[string]string, names ...string) {
		for name := range have {
			found := false
			for _, n := range names {
				found = found || n == name
			}
			if !found {
				faults = append(faults, fmt.Errorf("%s.endpoints: %q is not known; there are %q", at, name, names))
			}
		}
	}
	for i, b := range p.Bedrock {
		at := fmt.Sprintf("providers.bedrock[%d]", i)
		known(at, b.Endpoints, "iam", "sts", "cloudtrail", "bedrock", "cost_explorer")
		if (b.AccessKeyID == "") != (b.SecretAccessKey == "") {
			faults = append(faults, fmt.Errorf("%s: access_key_id and secret_access_key go together", at))
		}
	}
	for i, a := range p.AzureOpenAI {
		at := fmt.Sprintf("providers.azure_openai[%d]", i)
		known(at, a.Endpoints, "arm", "inference")
		if a.ClientSecret != "" && (a.TenantID == "" || a.ClientID == "") {
			faults = append(faults, fmt.Errorf("%s: client_secret needs tenant_id and client_id", at))
		}
	}
	return faults
}
