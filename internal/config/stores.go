package config

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// SecretStores says which stores may be written to. A section that is left out is never written to.
type SecretStores struct {
	GitHub     *struct{}    `yaml:"github"` // with the token of the section github
	Kubernetes []Kubernetes `yaml:"kubernetes"`
	Vault      *Vault       `yaml:"vault"`
	AWS        *AWSSecrets  `yaml:"aws"`
	GCP        *GCPSecrets  `yaml:"gcp"`
}

// Kubernetes is one cluster.
type Kubernetes struct {
	Cluster    string `yaml:"cluster"`    // as the inventory names it
	Kubeconfig string `yaml:"kubeconfig"` // default: the service account of the pod that we run in
	Context    string `yaml:"context"`    // default: the file's current one
}

// Vault is a Vault or OpenBao with KV version 2.
type Vault struct {
	Address string `yaml:"address"`
	Token   Secret `yaml:"token"` // read anew for every call, so that an agent may renew it
}

// AWSSecrets is AWS Secrets Manager.
type AWSSecrets struct {
	AccessKeyID     string `yaml:"access_key_id"` // default: AWS's usual places
	SecretAccessKey Secret `yaml:"secret_access_key"`
	Endpoint        string `yaml:"endpoint"`
}

// GCPSecrets is Google Secret Manager.
type GCPSecrets struct {
	CredentialsFile string `yaml:"credentials_file"` // default: application default credentials
	AccessToken     Secret `yaml:"access_token"`     // a fixed token, for tests and drills
	Endpoint        string `yaml:"endpoint"`
}

// Outbound says where addresses may lead that come from the inventory or from the list of webhooks.
type Outbound struct {
	Hosts           []string `yaml:"hosts"`            // names, or *.name; default: any
	PrivateNetworks []string `yaml:"private_networks"` // networks that are not public and yet allowed; default: none
}

// Guard is the section as a guard.
func (o Outbound) Guard() (outbound.Guard, error) {
	g, err := outbound.NewGuard(o.Hosts, o.PrivateNetworks)
	if err != nil {
		return g, fmt.Errorf("outbound: %w", err)
	}
	return g, nil
}

// Webhook is one receiver of what webhook.send sends.
type Webhook struct {
	Name    string   `yaml:"name"` // as playbooks name it
	URL     string   `yaml:"url"`
	Secrets []Secret `yaml:"secrets"` // whsec_…; several while one replaces another
}

func (s SecretStores) urls() (out [][2]string) {
	if s.Vault != nil {
		out = append(out, [2]string{"secret_stores.vault.address", s.Vault.Address})
	}
	if s.AWS != nil {
		out = append(out, [2]string{"secret_stores.aws.endpoint", s.AWS.Endpoint})
	}
	if s.GCP != nil {
		out = append(out, [2]string{"secret_stores.gcp.endpoint", s.GCP.Endpoint})
	}
	return out
}

func (s SecretStores) secrets() (out []named) {
	if s.Vault != nil {
		out = append(out, named{"secret_stores.vault.token", s.Vault.Token})
	}
	if s.AWS != nil {
		out = append(out, named{"secret_stores.aws.secret_access_key", s.AWS.SecretAccessKey})
	}
	if s.GCP != nil {
		out = append(out, named{"secret_stores.gcp.access_token", s.GCP.AccessToken})
	}
	return out
}

func (n Notify) secrets() (out []named) {
	for _, w := range n.Webhooks {
		for _, s := range w.Secrets {
			out = append(out, named{"notify.webhooks." + w.Name + ".secrets", s})
		}
	}
	if m := n.Mail; m != nil {
		out = append(out, named{"notify.mail.password", m.Password})
	}
	if p := n.PagerDuty; p != nil {
		out = append(out, named{"notify.pagerduty.routing_key", p.RoutingKey}, named{"notify.pagerduty.api_token", p.APIToken})
	}
	return out
}

// check finds what no store, guard or webhook can do without.
func (c *Config) checkOutside() (faults []error) {
	add := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	s, seen := c.SecretStores, map[string]bool{}
	add(s.GitHub != nil && c.GitHub == nil, "secret_stores.github: needs the section github with a token")
	add(s.Vault != nil && (s.Vault.Address == "" || s.Vault.Token == ""), "secret_stores.vault: needs an address and a token")
	for i, k := range s.Kubernetes {
		add(seen[k.Cluster], "secret_stores.kubernetes[%d]: the cluster %q is already listed", i, k.Cluster)
		seen[k.Cluster] = true
	}
	add(s.AWS != nil && (s.AWS.AccessKeyID == "") != (s.AWS.SecretAccessKey == ""), "secret_stores.aws: give both access_key_id and secret_access_key, or neither")
	guard, err := c.Outbound.Guard()
	if err != nil {
		return append(faults, err)
	}
	names := map[string]bool{}
	for i, w := range c.Notify.Webhooks {
		add(w.Name == "" || names[w.Name], "notify.webhooks[%d]: needs a name of its own", i)
		add(len(w.Secrets) == 0, "notify.webhooks[%d]: needs a secret; a receiver could not tell who sent it", i)
		_, err := guard.URL(w.URL)
		add(err != nil, "notify.webhooks[%d].url: %w", i, err)
		names[w.Name] = true
	}
	return faults
}
