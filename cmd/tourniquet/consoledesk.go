package main

import (
	"context"
	"io"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
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

func (d consoleDesk) Person(ctx context.Context, token string) (incident.Person, bool) {
	id, _ := whose(ctx, d.db, token)
	if id == "" {
		return incident.Person{}, false
	}
	return d.people.Person(id)
}

func consoleOptions(p routeParams) console.Options {
	return console.Options{
		DB: p.DB, Desk: consoleDesk{p.Desk, p.Desk.People, p.DB}, Logger: p.Settings.Log, Now: time.Now, World: p.Settings.World, Viewer: p.Settings.Viewer,
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
	}
}
