package config

import (
	"fmt"
	"slices"
	"strings"
)

// References says how the stores are reached in which our own secrets lie. What is left out is taken from secret_stores,
// and else from the usual places of each cloud.
type References struct {
	Vault *Vault         `yaml:"vault"`
	AWS   *AWSReferences `yaml:"aws"`
	GCP   *GCPSecrets    `yaml:"gcp"`
}

// AWSReferences is the Secrets Manager of our own secrets.
type AWSReferences struct {
	Region          string `yaml:"region"`        // for references that name none; default: AWS's usual places
	AccessKeyID     string `yaml:"access_key_id"` // default: AWS's usual places
	SecretAccessKey Secret `yaml:"secret_access_key"`
	Endpoint        string `yaml:"endpoint"`
}

func (r References) urls() (out [][2]string) {
	if r.Vault != nil {
		out = append(out, [2]string{"references.vault.address", r.Vault.Address})
	}
	if r.AWS != nil {
		out = append(out, [2]string{"references.aws.endpoint", r.AWS.Endpoint})
	}
	if r.GCP != nil {
		out = append(out, [2]string{"references.gcp.endpoint", r.GCP.Endpoint})
	}
	return out
}

func (r References) secrets() (out []named) {
	if r.Vault != nil {
		out = append(out, named{"references.vault.token", r.Vault.Token})
	}
	if r.AWS != nil {
		out = append(out, named{"references.aws.secret_access_key", r.AWS.SecretAccessKey})
	}
	if r.GCP != nil {
		out = append(out, named{"references.gcp.access_token", r.GCP.AccessToken})
	}
	return out
}

// Vault is the Vault of our own secrets; nil when none is named.
func (c *Config) vaultOfReferences() *Vault {
	if c.References.Vault != nil {
		return c.References.Vault
	}
	return c.SecretStores.Vault
}

// Stores are the three sections that references are read with, after what is left out was filled in.
func (c *Config) Stores() References {
	r := References{Vault: c.vaultOfReferences(), AWS: c.References.AWS, GCP: c.References.GCP}
	if s := c.SecretStores.AWS; r.AWS == nil && s != nil {
		r.AWS = &AWSReferences{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, Endpoint: s.Endpoint}
	}
	if r.AWS == nil {
		r.AWS = &AWSReferences{}
	}
	if r.GCP == nil {
		r.GCP = c.SecretStores.GCP
	}
	if r.GCP == nil {
		r.GCP = &GCPSecrets{}
	}
	return r
}

// checkReferences finds stores that could not be opened, and what would open them lying in one of them.
func (c *Config) checkReferences() (faults []error) {
	if v := c.References.Vault; v != nil && (v.Address == "" || v.Token == "") {
		faults = append(faults, fmt.Errorf("references.vault: needs an address and a token"))
	}
	if a := c.References.AWS; a != nil && (a.AccessKeyID == "") != (a.SecretAccessKey == "") {
		faults = append(faults, fmt.Errorf("references.aws: give both access_key_id and secret_access_key, or neither"))
	}
	for _, s := range slices.Concat(c.SecretStores.secrets(), c.References.secrets()) {
		if s.value != "" && !s.value.local() && s.value.check() == nil {
			faults = append(faults, fmt.Errorf("%s: what opens a store cannot lie in a store; refer to env://NAME or file:///path", s.name))
		}
	}
	if c.vaultOfReferences() == nil {
		for _, s := range c.secrets() {
			if strings.HasPrefix(string(s.value), "vault://") {
				faults = append(faults, fmt.Errorf("%s: lies in a Vault, but neither references.vault nor secret_stores.vault says where that is", s.name))
			}
		}
	}
	return faults
}
