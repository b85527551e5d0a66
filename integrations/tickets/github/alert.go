package github

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
)

// Alerts reads and resolves secret-scanning alerts of any repository that the token may see.
type Alerts struct{ api *api.Client }

var _ tickets.Resolver = (*Alerts)(nil)

// NewAlerts returns the reader and resolver.
func NewAlerts(c *api.Client) *Alerts { return &Alerts{api: c} }

// Fetched is what GitHub knows of a leaked secret. Secret is the live value: seal it at once.
type Fetched struct {
	Secret     []byte
	SecretType string // google_api_key, openai_api_key, …
	State      string // open or resolved
	Resolution string
	Validity   string // active, inactive or unknown
}

// Location is one place where the secret was found. Details that GitHub adds later are kept as they come.
type Location struct {
	Type    string         `json:"type"` // commit, issue_body, …
	Details map[string]any `json:"details"`
}

// place of an alert.
type place struct {
	owner, repo string
	number      int64
}

func (p place) path(rest ...string) string {
	return api.Path(append([]string{"repos", p.owner, p.repo, "secret-scanning", "alerts", strconv.FormatInt(p.number, 10)}, rest...)...)
}

func (p place) String() string {
	return fmt.Sprintf("secret-scanning alert %s/%s#%d", p.owner, p.repo, p.number)
}

// locate reads a link to an alert, of the API or of the pages. Links come from findings: only the host that the
// client is configured for is taken, and only names of repositories come out.
func (a *Alerts) locate(link string) (place, error) {
	bad := keys.Permanent(errors.New("the link does not lead to a secret-scanning alert of the configured GitHub"))
	u, err := url.Parse(link)
	if err != nil || !slices.Contains(a.api.Hosts(), u.Host) {
		return place{}, bad
	}
	s := strings.Split(strings.Trim(u.Path, "/"), "/")
	if i := slices.Index(s, "repos"); i >= 0 && len(s) == i+6 && s[i+3] == "secret-scanning" && s[i+4] == "alerts" {
		s = []string{s[i+1], s[i+2], s[i+5]}
	} else if len(s) == 5 && s[2] == "security" && s[3] == "secret-scanning" {
		s = []string{s[0], s[1], s[4]}
	} else {
		return place{}, bad
	}
	n, err := strconv.ParseInt(s[2], 10, 64)
	if err != nil || n < 1 || api.CheckRepo(s[0], s[1]) != nil {
		return place{}, bad
	}
	return place{s[0], s[1], n}, nil
}

type alertBody struct {
	Secret     string `json:"secret"`
	SecretType string `json:"secret_type"`
	State      string `json:"state"`
	Resolution string `json:"resolution"`
	Validity   string `json:"validity"`
	Base64     bool   `json:"is_base64_encoded"`
}

// FetchAlert reads an alert with the secret in it.
func (a *Alerts) FetchAlert(ctx context.Context, link string) (Fetched, error) {
	p, err := a.locate(link)
	if err != nil {
		return Fetched{}, err
	}
	got, err := a.read(ctx, p, false)
	if err != nil {
		return Fetched{}, err
	}
	if got.Secret == "" {
		return Fetched{}, keys.Permanent(fmt.Errorf("read %s: GitHub hides the secret from this token: it needs the permission to read secret-scanning alerts", p))
	}
	return Fetched{
		Secret: plain(got), SecretType: got.SecretType,
		State: got.State, Resolution: got.Resolution, Validity: got.Validity,
	}, nil
}

// Fetch returns the secret and its type: the port that intake and identify use.
func (a *Alerts) Fetch(ctx context.Context, link string) (secret []byte, secretType string, err error) {
	f, err := a.FetchAlert(ctx, link)
	return f.Secret, f.SecretType, err
}

func (a *Alerts) read(ctx context.Context, p place, hide bool) (alertBody, error) {
	var got alertBody
	_, err := a.api.Call(ctx, "read "+p.String(), http.MethodGet, p.path()+"?hide_secret="+strconv.FormatBool(hide), nil, &got)
	return got, err
}

// plain undoes the base64 that GitHub found the secret in, so that the same key from another source looks the same.
func plain(b alertBody) []byte {
	raw := []byte(b.Secret)
	if !b.Base64 {
		return raw
	}
	out, err := base64.StdEncoding.DecodeString(b.Secret)
	if err != nil || len(out) == 0 {
		return raw
	}
	for _, c := range out {
		if c <= ' ' || c > '~' {
			return raw
		}
	}
	return out
}

// Locations lists where the secret was found, at most 1,000 places.
func (a *Alerts) Locations(ctx context.Context, link string) ([]Location, error) {
	p, err := a.locate(link)
	if err != nil {
		return nil, err
	}
	var all []Location
	for page := 1; page <= maxPages; page++ {
		var got []Location
		path := fmt.Sprintf("%s?per_page=%d&page=%d", p.path("locations"), pageSize, page)
		if _, err := a.api.Call(ctx, "read the locations of "+p.String(), http.MethodGet, path, nil, &got); err != nil {
			return all, err
		}
		all = append(all, got...)
		if len(got) < pageSize {
			break
		}
	}
	return all, nil
}

// Resolve implements tickets.Resolver. An alert that somebody resolved already is left as it is.
func (a *Alerts) Resolve(ctx context.Context, link, resolution, comment string) error {
	if !slices.Contains([]string{tickets.Revoked, tickets.FalsePositive, tickets.UsedInTests, tickets.WontFix}, resolution) {
		return keys.Permanent(fmt.Errorf("GitHub knows no resolution %q; there are %s, %s, %s and %s", resolution, tickets.Revoked, tickets.FalsePositive, tickets.UsedInTests, tickets.WontFix))
	}
	p, err := a.locate(link)
	if err != nil {
		return err
	}
	got, err := a.read(ctx, p, true)
	if err != nil || got.State == "resolved" {
		return err
	}
	in := map[string]string{
		"state": "resolved", "resolution": resolution,
		"resolution_comment": cut(titleText(comment), maxComment),
	}
	_, err = a.api.Call(ctx, "resolve "+p.String(), http.MethodPatch, p.path(), in, nil)
	return err
}
