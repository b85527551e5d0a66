package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signin"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// consoleDesk lets the console decide through the same gateway as every other surface.
type consoleDesk struct {
	gate   *gateway.Gateway
	people *people.Directory
	db     *database.DB
	roles  groupRoles
}

func (d consoleDesk) Decide(ctx context.Context, a console.Act) (string, bool, string) {
	r := d.gate.Do(ctx, gateway.Act(a))
	return r.Text, r.Accepted, r.Code
}

func (d consoleDesk) Seal(ctx context.Context, person, surface, question string, value []byte) (string, bool, string) {
	r := d.gate.Seal(ctx, gateway.Act{Person: person, Surface: surface, Request: question}, value)
	return r.Text, r.Accepted, r.Code
}

func (d consoleDesk) Person(ctx context.Context, token string) (p incident.Person, id, refusal string) {
	t, refusal := whose(ctx, d.db, token)
	if t.ID == "" {
		return incident.Person{}, "", refusal
	}
	p, known := d.people.Person(t.Person)
	if !known {
		return incident.Person{}, "", ""
	}
	return p, t.ID, ""
}

// Still asks the records about a token, and the configuration about people, at every request: no process remembers either.
func (d consoleDesk) Still(ctx context.Context, s database.Session) (incident.Person, bool, error) {
	if s.Token == "" {
		p, ok := d.roles.of(s.Said, d.people)
		return p, ok, nil
	}
	t, err := d.db.Token(ctx, s.Token)
	if database.IsNotFound(err) {
		return incident.Person{}, false, nil
	}
	if err != nil || t.Refusal(time.Now()) != "" {
		return incident.Person{}, false, err
	}
	p, known := d.people.Person(t.Person)
	return p, known, nil
}

// groupRoles says which role a group of the sign-on service has here; empty: roles stand under people.
type groupRoles map[string]string

// of is whoever a sign-on service spoke of, as they are here now. Roles that came from the service's groups hold for the session, as far
// as the configuration still gives them; the service tells of a change at the next sign-in only.
func (g groupRoles) of(said database.Said, d *people.Directory) (p incident.Person, ok bool) {
	p, listed := d.BySubject(said.Subject)
	if len(g) == 0 {
		return p, listed
	}
	if !listed {
		p = incident.Person{Name: said.Name, Subject: said.Subject}
	}
	p.Roles = slices.DeleteFunc(slices.Clone(said.Roles), func(r string) bool { return !slices.Contains(slices.Collect(maps.Values(g)), r) })
	return p, len(p.Roles) > 0
}

// signOn maps whoever comes back from the sign-on service: by subject, never by address or name.
type signOn struct {
	*signin.Provider
	people *people.Directory
	roles  groupRoles
}

func (o signOn) Finish(ctx context.Context, answer url.Values, browser string) (incident.Person, string, error) {
	who, next, err := o.Provider.Finish(ctx, answer, browser)
	if err != nil {
		return incident.Person{}, "", err
	}
	said := database.Said{Subject: who.Subject, Name: who.Name}
	for _, g := range who.Groups {
		if role, ok := o.roles[g]; ok && !slices.Contains(said.Roles, role) {
			said.Roles = append(said.Roles, role)
		}
	}
	p, ok := o.roles.of(said, o.people)
	switch {
	case ok:
		return p, next, nil
	case len(o.roles) > 0:
		return incident.Person{}, "", fmt.Errorf("%s knows you, but none of your groups has a role here; an operator can add one under server.oidc.roles", o.Name())
	default:
		return incident.Person{}, "", fmt.Errorf("%s knows you, but you are not listed here; ask an operator to add oidc_subject: %q to you under people", o.Name(), who.Subject)
	}
}

// signOnOf is nil where no sign-on service is configured.
func signOnOf(s settings, d *people.Directory, ring *seal.Ring, db *database.DB) (console.SignOn, error) {
	c := s.Config.Server.OIDC
	if c == nil {
		return nil, nil //nolint:nilnil // none is a valid answer
	}
	secret, err := c.ClientSecret.Resolve(s.Env)
	if err != nil {
		return nil, fmt.Errorf("server.oidc.client_secret: %w", err)
	}
	p, err := signin.New(signin.Options{
		Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: secret, Scopes: c.Scopes, GroupsClaim: c.GroupsClaim,
		RedirectURL: s.Config.URL() + console.SignOnBack, Now: time.Now,
		Box: ring.Box().For("attempts to sign in"), SeenBefore: db.SeenBefore,
	})
	if err != nil {
		return nil, fmt.Errorf("server.oidc: %w", err)
	}
	return signOn{p, d, c.Roles}, nil
}

func consoleOptions(p routeParams) (console.Options, error) {
	service, err := signOnOf(p.Settings, p.Desk.People, p.Ring, p.DB)
	if err != nil {
		return console.Options{}, err
	}
	desk := consoleDesk{gate: p.Desk, people: p.Desk.People, db: p.DB}
	if c := p.Settings.Config.Server.OIDC; c != nil {
		desk.roles = c.Roles
	}
	return console.Options{
		DB: p.DB, Desk: desk, Logger: p.Settings.Log, Now: time.Now, World: p.Settings.World, Viewer: p.Settings.Viewer,
		Codec: p.codec(), Secure: strings.HasPrefix(p.Settings.Config.URL(), "https://"), SignOn: service, More: p.operate(), Version: p.version(), Library: p.library(),
		Explain: func(a incident.Alert) []playbooks.Explained {
			return playbooks.ExplainAll(p.Starter.Library().Programs, a.Env(), a.NamesKey(), time.Now())
		},
		Known: func(person string) bool {
			_, listed := p.Desk.People.Person(person)
			return listed
		},
		Report: console.Report{
			Markdown: func(ctx context.Context, run string) ([]byte, error) { return report.Markdown(ctx, p.DB, run) },
			HTML:     func(ctx context.Context, run string) ([]byte, error) { return report.HTML(ctx, p.DB, run) },
			JSON:     func(ctx context.Context, run string) ([]byte, error) { return report.JSON(ctx, p.DB, run) },
			Bundle: func(ctx context.Context, a report.Access, w io.Writer) error {
				return report.Bundle(ctx, p.DB, p.Evidence, a, w, p.Signer)
			},
		},
	}, nil
}

// codec is nil where no page of Temporal's is named. Its command line goes the same way, with a personal token.
func (p routeParams) codec() *console.Codec {
	origins := p.Settings.Config.Temporal.UIOrigins
	if len(origins) == 0 {
		return nil
	}
	return &console.Codec{Codec: p.Ring.Codec(), Namespace: p.Engine.Namespace(), Origins: origins}
}

func (p routeParams) version() string { return thisRelease(debug.ReadBuildInfo()).Version }

func (p routeParams) readHistory(ctx context.Context, run incident.Run) (history.History, error) {
	return history.Read(ctx, p.Engine.Client(), p.Ring, gateway.WorkflowID(run))
}
