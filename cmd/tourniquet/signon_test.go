package main

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func TestTheSignOnServiceNamesSubjectsAndTheConfigurationSaysWhoTheyAre(t *testing.T) {
	t.Parallel()
	const ours = "http://127.0.0.1:8686"
	sso := sandbox.NewOIDC(ours + console.SignOnBack)
	front := httptest.NewServer(sso.Handler())
	t.Cleanup(front.Close)
	sso.Issuer = front.URL
	dir, err := people.New([]incident.Person{{ID: "ana", Name: "Ana", Subject: "00u-ana", Roles: []string{people.Author}}, {ID: "vic", Name: "Vic Okoro"}}, nil, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "ring.json"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db := reporttest.DB(t)
	for name, c := range map[string]struct {
		roles   map[string]string
		as      string
		id      string
		holds   []string
		refused string
	}{
		"listed by subject":                      {as: "00u-ana", id: "ana", holds: []string{people.Author}},
		"listed by name alone is nobody":         {as: "00u-vic", refused: `oidc_subject: "00u-vic"`},
		"roles of the service stand for our own": {roles: map[string]string{"security": people.Responder}, as: "00u-ana", id: "ana", holds: []string{people.Responder}},
		"not listed, with a role, may only look": {roles: map[string]string{"platform": people.Operator}, as: "00u-pat", holds: []string{people.Operator}},
		"no group with a role":                   {roles: map[string]string{"platform": people.Operator}, as: "00u-ana", refused: "none of your groups"},
		"a group of the same name elsewhere":     {roles: map[string]string{"Security": people.Responder}, as: "00u-ana", refused: "none of your groups"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := settings{Env: config.Places{Env: func(string) (string, bool) { return sso.ClientSecret, true }}, Config: &config.Config{Server: config.Server{URL: ours, OIDC: &config.SignIn{
				Name: "Example SSO", Issuer: front.URL, ClientID: sso.ClientID, ClientSecret: "env://SSO", Roles: c.roles}}}}
			service, err := signOnOf(s, dir, ring, db)
			if err != nil {
				t.Fatal(err)
			}
			address, browser, err := service.Begin(t.Context(), "/")
			if err != nil {
				t.Fatal(err)
			}
			p, _, err := service.Finish(t.Context(), pressed(t, address, c.as), browser)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("%+v, %v: want %q", p, err, c.refused)
				}
				return
			}
			if err != nil || p.ID != c.id || !slices.Equal(people.RolesOf(p), c.holds) {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// pressed chooses who to be and gives what the browser comes back with.
func pressed(t *testing.T, address, as string) url.Values {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"as": {as}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	back, err := res.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back.Query()
}
