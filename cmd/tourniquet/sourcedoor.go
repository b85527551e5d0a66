package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/guard"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
)

// alertDoor builds the sources that the configuration names.
func alertDoor(p routeParams) (http.Handler, error) {
	configured := map[string]intake.Configured{}
	c := p.Settings.Config
	certs := sources.NewCertificates(guard.Client(5 * time.Second))
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		src, format, err := sourceOf(c, name)
		if err != nil {
			return nil, err
		}
		auth, err := proofOf(p.Settings, name, format, certs)
		if err != nil {
			return nil, fmt.Errorf("sources.%s%w", name, err)
		}
		one := intake.Configured{Source: src, Auth: auth, Trust: c.Sources[name].Trust}
		if format == "github" && p.GitHub.Alerts != nil {
			one.Fetcher = p.GitHub.Alerts
		}
		if c.Sources[name].Confirm {
			one.Confirm = confirmer(guard.Client(10 * time.Second))
		}
		configured[name] = one
	}
	return intake.New(intake.Options{
		Store: p.DB, Box: p.Ring.Box(), Sources: configured, Logger: p.Settings.Log, Wake: p.Wake.Wake, Now: time.Now,
		Reader: readers{p.DB},
	})
}

// sourceOf is the decoder of a configured source: one of ours, or one that the configuration maps.
func sourceOf(c *config.Config, name string) (src sources.Source, format string, err error) {
	conf := c.Sources[name]
	if conf.Mapped() {
		src, faults := sources.NewMapped(name, mappingOf(c, conf))
		if diag.HasErrors(faults) {
			return nil, "", fmt.Errorf("sources.%s has faults:\n%s", name, diag.Text(c.Text, faults))
		}
		return src, name, nil
	}
	format = orElse(conf.Format, name)
	all := knownSources()
	i := indexSource(all, format)
	if i < 0 {
		return nil, "", fmt.Errorf("sources.%s: no source has this name; see: tourniquet source list; or write format, or a map of your own", name)
	}
	return all[i], format, nil
}

func mappingOf(c *config.Config, conf config.Source) sources.Mapping {
	text := func(l config.Located) sources.Text {
		return sources.Text{Value: l.Text, Line: l.Line, Column: l.Column}
	}
	m := sources.Mapping{File: orElse(c.Path, "tourniquet.yaml"), Source: c.Text, At: text(conf.At), Each: text(conf.Each), Fields: map[string]sources.Text{}}
	for name, l := range conf.Map {
		m.Fields[name] = text(l)
	}
	for _, t := range conf.Tests {
		m.Tests = append(m.Tests, sources.MappingTest{Name: text(t.Name), Finding: t.Finding, Headers: t.Headers, Expect: t.Expect})
	}
	return m
}

// proofOf is every way in which a source may prove where its deliveries come from. The error begins with the key at fault.
func proofOf(s settings, name, format string, certs *sources.Certificates) (sources.Auth, error) {
	conf := s.Config.Sources[name]
	var ways []sources.Auth
	var faults []error
	add := func(key string, a sources.Auth, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf(".%s: %w", key, err))
			return
		}
		ways = append(ways, a)
	}
	if conf.Secret != "" {
		secret, err := conf.Secret.Resolve(s.Env)
		if err == nil {
			a, err := sources.HMAC(sources.SchemeOf(format), []byte(secret))
			add("secret", a, err)
		} else {
			add("secret", nil, err)
		}
	}
	if conf.Token != "" {
		token, err := conf.Token.Resolve(s.Env)
		if err == nil {
			a, err := sources.Bearer(sources.HashToken(token))
			add("token", a, err)
		} else {
			add("token", nil, err)
		}
	}
	if len(conf.Topics) > 0 {
		a, err := sources.SNS(certs, conf.Topics...)
		add("topics", a, err)
	}
	if o := conf.OIDC; o != nil {
		a, err := sources.OIDC(sources.OIDCOptions{Audience: o.Audience, Email: o.Email, Subject: o.Subject, Issuers: o.Issuers, JWKS: o.JWKS})
		add("oidc", a, err)
	}
	if len(conf.Certificates) > 0 {
		a, err := sources.Certificate(conf.Certificates...)
		add("client_certificates", a, err)
	}
	if conf.Loopback {
		add("loopback", sources.Loopback(), nil)
	}
	if len(ways) == 0 && len(faults) == 0 { // the configuration refuses this before
		return nil, errors.New(": no way to prove where deliveries come from")
	}
	return sources.Either(ways...), errors.Join(faults...)
}

// confirmer visits the address by which a subscription is confirmed. The decoder has checked whose address it is.
func confirmer(client *http.Client) func(context.Context, string) error {
	return func(ctx context.Context, address string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("confirming the subscription: %w", err)
		}
		defer func() { _ = res.Body.Close() }()
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("confirming the subscription was answered %d", res.StatusCode)
		}
		return nil
	}
}

// doorTLS is nil where a proxy in front speaks TLS. Client certificates are verified when they come; who needs one says its source.
func doorTLS(c *config.Config) (*tls.Config, error) {
	t := c.Server.TLS
	if t == nil {
		return nil, nil //nolint:nilnil // no TLS is a valid answer
	}
	pair, err := tls.LoadX509KeyPair(c.At(t.Cert), c.At(t.Key))
	if err != nil {
		return nil, fmt.Errorf("server.tls: %w", err)
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if t.ClientCA == "" {
		return out, nil
	}
	pem, err := os.ReadFile(c.At(t.ClientCA))
	if err != nil {
		return nil, fmt.Errorf("server.tls.client_ca: %w", err)
	}
	if out.ClientCAs = x509.NewCertPool(); !out.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("server.tls.client_ca: the file %q holds no PEM certificate", t.ClientCA)
	}
	out.ClientAuth = tls.VerifyClientCertIfGiven
	return out, nil
}

func indexSource(all []sources.Source, name string) int {
	return slices.IndexFunc(all, func(s sources.Source) bool { return s.Name() == name })
}
