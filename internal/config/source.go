package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Source is one system that sends findings. Each needs a proof of where they come from.
type Source struct {
	Format string `yaml:"format"` // default: the source's own name
	Trust  string `yaml:"trust"`  // act or tell

	Secret       Secret   `yaml:"secret"`              // HMAC key of the signature
	Token        Secret   `yaml:"token"`               // bearer token
	Topics       []string `yaml:"topics"`              // ARNs of Amazon SNS
	Confirm      bool     `yaml:"confirm"`             // confirm subscriptions of these topics by itself
	OIDC         *OIDC    `yaml:"oidc"`                // identity tokens
	Certificates []string `yaml:"client_certificates"` // names in certificates of server.tls.client_ca
	Loopback     bool     `yaml:"loopback"`            // no proof, but only from this machine

	// A format of one's own: expressions in place of code.
	Each  Located            `yaml:"each"`
	Map   map[string]Located `yaml:"map"`
	Tests []MappingTest      `yaml:"tests"`

	At Located `yaml:"-"` // where the source stands in the file
}

// OIDC says whose identity tokens are believed.
type OIDC struct {
	Audience string   `yaml:"audience"`
	Email    string   `yaml:"email"`
	Subject  string   `yaml:"subject"`
	Issuers  []string `yaml:"issuers"` // default: Google's
	JWKS     string   `yaml:"jwks"`    // default: Google's
}

// MappingTest is a finding and what has to become of it.
type MappingTest struct {
	Name    Located           `yaml:"name"`
	Finding any               `yaml:"finding"`
	Headers map[string]string `yaml:"headers"`
	Expect  map[string]any    `yaml:"expect"`
}

// Located is a text with its place in the file.
type Located struct {
	Text         string
	Line, Column int
}

// UnmarshalYAML keeps the place.
func (l *Located) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a text is wanted here", n.Line)
	}
	l.Text, l.Line, l.Column = n.Value, n.Line, n.Column
	return nil
}

// onlyKeys is the strictness of the rest of the file, which a type that reads itself has to bring along.
func onlyKeys(n *yaml.Node, what string, known ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s is written with keys and values", n.Line, what)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(known, k.Value) {
			return fmt.Errorf("line %d: field %s not found in %s", k.Line, k.Value, what)
		}
	}
	return nil
}

// UnmarshalYAML keeps the place of the source.
func (s *Source) UnmarshalYAML(n *yaml.Node) error {
	if err := onlyKeys(n, "a source", "format", "trust", "secret", "token", "topics", "confirm", "oidc", "client_certificates", "loopback", "each", "map", "tests"); err != nil {
		return err
	}
	type plain Source
	if err := n.Decode((*plain)(s)); err != nil {
		return err
	}
	s.At = Located{Line: n.Line, Column: n.Column}
	return nil
}

// UnmarshalYAML is strict.
func (o *OIDC) UnmarshalYAML(n *yaml.Node) error {
	if err := onlyKeys(n, "oidc", "audience", "email", "subject", "issuers", "jwks"); err != nil {
		return err
	}
	type plain OIDC
	return n.Decode((*plain)(o))
}

// UnmarshalYAML is strict.
func (t *MappingTest) UnmarshalYAML(n *yaml.Node) error {
	if err := onlyKeys(n, "a test of a mapping", "name", "finding", "headers", "expect"); err != nil {
		return err
	}
	type plain MappingTest
	if err := n.Decode((*plain)(t)); err != nil {
		return err
	}
	if t.Name.Line == 0 {
		t.Name = Located{Text: "without a name", Line: n.Line, Column: n.Column}
	}
	return nil
}

// Mapped reports whether the source is a format of the operator's own.
func (s Source) Mapped() bool { return len(s.Map) > 0 || s.Each.Text != "" || len(s.Tests) > 0 }

// proofs counts the ways in which a source may prove where its deliveries come from.
func (s Source) proofs() int {
	n := len(s.Topics) + len(s.Certificates)
	for _, has := range []bool{s.Secret != "", s.Token != "", s.OIDC != nil} {
		if has {
			n++
		}
	}
	return n
}

// checkSource reports what the file alone shows.
func (c *Config) checkSource(name string, s Source, add func(bool, string, ...any)) {
	add(s.Trust != incident.TrustAct && s.Trust != incident.TrustTell, "sources.%s.trust: %q is neither act nor tell", name, s.Trust)
	add(s.proofs() == 0 && !s.Loopback, "sources.%s: a source needs a secret, a token, topics, oidc or client_certificates; without one anybody could send alerts", name)
	add(s.Loopback && !c.onLoopback(), "sources.%s.loopback: takes deliveries without proof, so server.listen must be a loopback address; it is %q", name, c.Server.Listen)
	add(len(s.Certificates) > 0 && (c.Server.TLS == nil || c.Server.TLS.ClientCA == ""), "sources.%s.client_certificates: need server.tls.client_ca", name)
	add(s.Confirm && len(s.Topics) == 0, "sources.%s.confirm: confirms subscriptions of topics, and there are none", name)
	add(s.Mapped() && s.Format != "", "sources.%s: has a map, which is a format of its own, and names the format %q as well", name, s.Format)
	if o := s.OIDC; o != nil {
		add(o.Audience == "" || (o.Email == "") == (o.Subject == ""), "sources.%s.oidc: needs audience, and either email or subject: anybody can get a token for any audience", name)
	}
}

func (c *Config) onLoopback() bool {
	host, _, err := net.SplitHostPort(c.Server.Listen)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
