package main

import (
	"context"
	"fmt"
	"io"
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
	"github.com/tourniquet-ir/tourniquet/internal/signin"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// consoleDesk lets the console decide through the same gateway as every other surface.
type consoleDesk struct {
	gate   *gateway.Gateway
	people *people.Directory
	db     *database.DB
}

func (d consoleDesk) Decide(ctx context.Context, a console.Act) (string, bool, string) {
	r := d.gate.Do(ctx, gateway.Act(a))
	return r.Text, r.Accepted, r.Code
}

func (d consoleDesk) Seal(ctx context.Context, person, surface, question string, value []byte) (string, bool, string) {
	r := d.gate.Seal(ctx, gateway.Act{Person: person, Surface: surface, Request: question}, value)
	return r.Text, r.Accepted, r.Code
}

func (d consoleDesk) Person(ctx context.Context, token string) (p incident.Person, known bool, refusal string) {
	id, refusal := whose(ctx, d.db, token)
	if id == "" {
		return incident.Person{}, false, refusal
	}
	p, known = d.people.Person(id)
	return p, known, ""
}

// signOn maps whoever comes back from the sign-on service: by subject, never by address or name.
type signOn struct {
	*signin.Provider
	people *people.Directory
	roles  map[string]string // group of the service: role here; empty: roles stand under people
}

func (o signOn) Finish(ctx context.Context, answer url.Values, browser string) (incident.Person, string, error) {
	who, next, err := o.Provider.Finish(ctx, answer, browser)
	if err != nil {
		return incident.Person{}, "", err
	}
	p, listed := o.people.BySubject(who.Subject)
	if !listed {
		p = incident.Person{Name: who.Name, Subject: who.Subject}
	}
	if len(o.roles) > 0 {
		p.Roles = nil
		for _, g := range who.Groups {
			if role, ok := o.roles[g]; ok && !slices.Contains(p.Roles, role) {
				p.Roles = append(p.Roles, role)
			}
		}
		if len(p.Roles) == 0 {
			return incident.Person{}, "", fmt.Errorf("%s knows you, but none of your groups has a role here; an operator can add one under server.oidc.roles", o.Name())
		}
	} else if !listed {
		return incident.Person{}, "", fmt.Errorf("%s knows you, but you are not listed here; ask an operator to add oidc_subject: %q to you under people", o.Name(), who.Subject)
	}
	return p, next, nil
}

// signOnOf is nil where no sign-on service is configured.
func signOnOf(s settings, d *people.Directory) (console.SignOn, error) {
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
	})
	if err != nil {
		return nil, fmt.Errorf("server.oidc: %w", err)
	}
	return signOn{p, d, c.Roles}, nil
}

func consoleOptions(p routeParams) (console.Options, error) {
	service, err := signOnOf(p.Settings, p.Desk.People)
	if err != nil {
		return console.Options{}, err
	}
	return console.Options{
		DB: p.DB, Desk: consoleDesk{p.Desk, p.Desk.People, p.DB}, Logger: p.Settings.Log, Now: time.Now, World: p.Settings.World, Viewer: p.Settings.Viewer,
		Secure: strings.HasPrefix(p.Settings.Config.URL(), "https://"), SignOn: service, More: p.operate(), Version: p.version(), Library: p.library(),
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

func (p routeParams) version() string { return thisRelease(debug.ReadBuildInfo()).Version }

func (p routeParams) readHistory(ctx context.Context, run incident.Run) (history.History, error) {
	return history.Read(ctx, p.Engine.Client(), p.Ring, gateway.WorkflowID(run))
}
