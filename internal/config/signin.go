package config

import (
	"maps"
	"net"
	"net/url"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// checkOIDC refuses what would let strangers in or send tokens where others read them.
func (c *Config) checkOIDC(add func(bool, string, ...any)) {
	o := c.Server.OIDC
	if o == nil {
		return
	}
	u, err := url.Parse(o.Issuer)
	if bad := err != nil || u.Host == "" || u.Fragment != "" || u.RawQuery != "" || u.User != nil; bad {
		add(true, "server.oidc.issuer: %q is not the address of an issuer", o.Issuer)
	} else {
		add(u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())), "server.oidc.issuer: it must be https; http is for loopback alone")
	}
	add(o.ClientID == "", "server.oidc.client_id: is needed, the provider gives it to you")
	own, err := url.Parse(c.URL())
	add(err == nil && own.Scheme != "https" && !loopback(own.Hostname()), "server.url: signing in by OIDC needs https, or loopback; else the session could be read on the way")
	for _, group := range slices.Sorted(maps.Keys(o.Roles)) {
		err := people.CheckRoles([]string{o.Roles[group]})
		add(err != nil, "server.oidc.roles.%s: %v", group, err)
	}
	known := map[string]string{}
	for i, p := range c.People {
		other, twice := known[p.Subject]
		add(twice && p.Subject != "", "people[%d].oidc_subject: %q belongs to %q already; one human is one person", i, p.Subject, other)
		known[p.Subject] = p.ID
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
