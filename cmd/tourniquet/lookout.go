package main

import (
	"context"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
)

// newLookout watches the keys of the inventory at the configured accounts.
func newLookout(s settings, db *database.DB, all []activities.Account, inv *inventory.Inventory, w wake, m *metrics.Metrics) (*lookout.Lookout, error) {
	c := s.Config.Watch
	table, err := prices.New(c.Prices...)
	if err != nil {
		return nil, err
	}
	o := lookout.Options{
		Records: db, Known: inv.Entries(), Prices: table, Wake: w, Blind: time.Duration(c.BlindAfter), PerSec: c.PerSecond,
		Width: time.Duration(c.Width), Meter: m, Log: s.Log, Now: time.Now,
	}
	for _, a := range all {
		o.Accounts = append(o.Accounts, lookout.Account{Name: a.Name, Provider: a.Provider})
	}
	return lookout.New(o), nil
}

// scheduleWatch keeps one schedule for each account in the engine; where the watch is off there is none.
func scheduleWatch(s settings, l *lookout.Lookout, c client.Client, lc fx.Lifecycle) {
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		if s.Config.Watch.Off {
			return lookout.Unschedule(ctx, c)
		}
		return l.Schedule(ctx, c, time.Duration(s.Config.Watch.Every))
	}))
}

// watching is what the watch says of itself and of each key.
type watching struct {
	Off   bool             `json:"off"`
	Every string           `json:"every"`
	Keys  []lookout.Status `json:"keys"`
}

type forgetIn struct {
	Alert string `json:"alert"`
}

type forgotten struct {
	Alert string `json:"alert"`
	By    string `json:"forgotten_by"`
}

// watched are the endpoints of the watch.
func (p routeParams) watched() []api.Endpoint {
	return []api.Endpoint{
		api.JSON("GET", "/v1/watch", "getWatch", "What the watch sees of each key", people.Look, http.StatusOK, func(ctx context.Context, _ api.Caller, _ api.None) (watching, error) {
			all, err := p.Lookout.Statuses(ctx)
			if err != nil {
				return watching{}, away("what the watch knows could not be read")
			}
			return watching{p.Settings.Config.Watch.Off, time.Duration(p.Settings.Config.Watch.Every).String(), all}, nil
		}),
		api.JSON("GET", "/v1/watch/alerts/{id}", "explainWatch", "Why the watch raised an alert", people.SeeDetail, http.StatusOK, func(ctx context.Context, _ api.Caller, in idIn) (lookout.Finding, error) {
			f, err := p.DB.Finding(ctx, in.ID)
			if err != nil {
				return lookout.Finding{}, api.Fault(http.StatusNotFound, "not_found", "there is no alert with this id")
			}
			found, err := lookout.Explain(f)
			if err != nil {
				return lookout.Finding{}, api.Malformed(err.Error())
			}
			return found, nil
		}),
		api.JSON("POST", "/v1/watch/forget", "forgetLesson", "Revoke what the baseline learned from a false alarm", people.Act, http.StatusOK, func(ctx context.Context, who api.Caller, in forgetIn) (forgotten, error) {
			if err := p.Lookout.Forget(ctx, in.Alert, who.Person.ID); err != nil {
				return forgotten{}, api.Malformed(err.Error())
			}
			return forgotten{in.Alert, who.Person.ID}, nil
		}),
	}
}
