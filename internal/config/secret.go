package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret is a reference to a secret: env://NAME, file:///path, or one in a store. The file never holds the value itself.
type Secret string

// maxSecret bounds what is read from a file or a store.
const maxSecret = 1 << 16

// check reports a reference that cannot be resolved by its form alone. It never repeats what was written, because
// that may be the secret itself.
func (s Secret) check() error {
	if s == "" || s.local() {
		return nil
	}
	scheme, _, ok := strings.Cut(string(s), "://")
	if _, known := stores[scheme]; known && ok {
		_, err := s.reference()
		return err
	}
	if ok && len(scheme) < 12 {
		return fmt.Errorf("references of the form %q are not known; there are env://, file:///, vault://, awssm:// and gcpsm://", scheme+"://")
	}
	return errors.New("write a reference such as env://NAME or file:///path here, never the secret itself")
}

// local references need nobody to answer.
func (s Secret) local() bool {
	return strings.HasPrefix(string(s), "env://") || strings.HasPrefix(string(s), "file:///")
}

// Lookup reads an environment variable; only main has one to give.
type Lookup func(name string) (string, bool)

// Places are where references lead. Stores is nil where only the environment and files can be asked.
type Places struct {
	Env    Lookup
	Stores func(Reference) (string, error)
}

// Resolve gives the value, without trailing line ends.
func (s Secret) Resolve(p Places) (string, error) {
	if s == "" {
		return "", nil
	}
	if err := s.check(); err != nil {
		return "", err
	}
	name, env := strings.CutPrefix(string(s), "env://")
	switch {
	case env:
		v, found := p.Env(name)
		if !found || v == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return v, nil
	case !s.local():
		return s.fromStore(p)
	}
	return s.fromFile()
}

func (s Secret) fromFile() (string, error) {
	path := strings.TrimPrefix(string(s), "file://")
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("the secret file cannot be read: %w", err)
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("the secret file %q is larger than %d bytes", path, maxSecret)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the secret file cannot be read: %w", err)
	}
	return usable(string(body), fmt.Sprintf("the secret file %q", path))
}

func (s Secret) fromStore(p Places) (string, error) {
	r, err := s.reference()
	if err != nil {
		return "", err
	}
	if p.Stores == nil {
		return "", fmt.Errorf("%s: only env:// and file:/// can be read here", s)
	}
	v, err := p.Stores(r)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s, err)
	}
	return usable(v, string(s))
}

// usable takes the trailing line ends off.
func usable(text, from string) (string, error) {
	if len(text) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d bytes", from, maxSecret)
	}
	v := strings.TrimRight(text, "\r\n")
	if v == "" {
		return "", fmt.Errorf("%s is empty", from)
	}
	return v, nil
}

type named struct {
	name  string
	value Secret
}

// secrets lists every reference of the file.
func (c *Config) secrets() []named {
	out := []named{{"temporal.api_key", c.Temporal.APIKey}, {"temporal.database_url", c.Temporal.Database}, {"database.url", c.Database.URL}}
	if o := c.Server.OIDC; o != nil {
		out = append(out, named{"server.oidc.client_secret", o.ClientSecret})
	}
	if s := c.Slack; s != nil {
		out = append(out, named{"slack.token", s.Token}, named{"slack.app_token", s.AppToken}, named{"slack.signing_secret", s.SigningSecret})
	}
	if c.GitHub != nil {
		out = append(out, named{"github.token", c.GitHub.Token})
	}
	out = append(out, c.Providers.secrets()...)
	for name, s := range c.Sources {
		out = append(out, named{"sources." + name + ".secret", s.Secret}, named{"sources." + name + ".token", s.Token})
	}
	for name, v := range c.Tracing.Headers {
		out = append(out, named{"tracing.headers." + name, v})
	}
	out = append(out, c.SecretStores.secrets()...)
	out = append(out, c.References.secrets()...)
	out = append(out, c.Notify.secrets()...)
	return out
}
