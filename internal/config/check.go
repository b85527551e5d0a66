package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// check reports every fault that the file alone shows.
func (c *Config) check() error {
	var faults []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	add(c.Mode != incident.ModeObserve && c.Mode != incident.ModeEnforce, "mode: %q is neither observe nor enforce", c.Mode)
	_, _, err := net.SplitHostPort(c.Server.Listen)
	add(err != nil, "server.listen: %q is not host:port", c.Server.Listen)
	add(c.Server.TLS != nil && (c.Server.TLS.Cert == "" || c.Server.TLS.Key == ""), "server.tls: needs cert and key, the names of two PEM files")
	add(c.Server.Drain < 0 || time.Duration(c.Server.Drain) > 20*time.Second, "server.drain: lies between 0s and 20s")
	c.Temporal.check(add)
	add(c.Database.Driver != "sqlite" && c.Database.Driver != "postgres", "database.driver: %q is not known; there are sqlite and postgres", c.Database.Driver)
	add(c.Database.Driver == "postgres" && c.Database.URL == "", "database.url: is needed for driver postgres")
	for _, at := range c.urls() {
		u, err := url.Parse(at[1])
		add(err != nil || u.Host == "", "%s: %q is not an address", at[0], at[1])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		c.checkSource(name, c.Sources[name], add)
	}
	add(c.Slack != nil && (c.Slack.Remember < 0 || time.Duration(c.Slack.Remember) > people.MostRemembered),
		"slack.remember: an answer about people may be believed for %s at most", people.MostRemembered)
	faults = append(faults, c.Providers.check()...)
	faults = append(faults, c.Watch.check()...)
	for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
		add(c.Groups[name].OnCall != nil && (c.Notify.PagerDuty == nil || c.Notify.PagerDuty.APIToken == ""), "groups.%s.on_call: needs notify.pagerduty.api_token", name)
	}
	faults = append(faults, c.Tracing.check()...)
	add(c.Evidence.Keep != 0 && c.Evidence.Keep.Std() < 24*time.Hour, "evidence.keep: a run is kept for a day at least; without it, for ever")
	for i, p := range c.People {
		add(p.ID == "", "people[%d]: needs an id", i)
		err := people.CheckRoles(p.Roles)
		add(err != nil, "people[%d].roles: %v", i, err)
	}
	c.checkOIDC(add)
	if c.Mode == incident.ModeEnforce {
		sizes := map[string]int{}
		for name, g := range c.Groups {
			sizes[name] = len(g.People)
			if g.Asked() {
				sizes[name] = -1
			}
		}
		if err := c.Policy.Validate(sizes); err != nil {
			faults = append(faults, err)
		}
	}
	faults = append(faults, c.checkOutside()...)
	faults = append(faults, c.checkReferences()...)
	for _, s := range c.secrets() {
		if err := s.value.check(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(faults...)
}

func (t Temporal) check(add func(bad bool, format string, args ...any)) {
	add(t.Mode != "embedded" && t.Mode != "external", "temporal.mode: %q is neither embedded nor external", t.Mode)
	add(t.Mode == "external" && t.Address == "", "temporal.address: is needed for mode external")
	for _, at := range t.UIOrigins {
		add(!isOrigin(at), "temporal.ui_origins: %q is not an origin such as https://temporal.example.com, without a path; http is for this machine alone", at)
	}
}

// isOrigin is what a browser sends as Origin, in its own spelling, of a page that nobody could have changed on its way.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.Contains(text, "*") || text != strings.ToLower(u.Scheme+"://"+u.Host) {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func (c *Config) urls() [][2]string {
	var out [][2]string
	put := func(name, v string) {
		if v != "" {
			out = append(out, [2]string{name, v})
		}
	}
	put("server.url", c.Server.URL)
	if c.Slack != nil {
		put("slack.base_url", c.Slack.BaseURL)
	}
	if c.GitHub != nil {
		put("github.base_url", c.GitHub.BaseURL)
	}
	for _, u := range slices.Concat(c.Providers.urls(), c.SecretStores.urls(), c.References.urls()) {
		put(u[0], u[1])
	}
	if p := c.Notify.PagerDuty; p != nil {
		put("notify.pagerduty.base_url", p.BaseURL)
		put("notify.pagerduty.api_url", p.APIURL)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if o := c.Sources[name].OIDC; o != nil {
			put("sources."+name+".oidc.jwks", o.JWKS)
		}
	}
	return out
}
