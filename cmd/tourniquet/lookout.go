package main

import (
	"context"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
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

// watchRoutes are the watch over HTTP.
func watchRoutes(mux *http.ServeMux, p routeParams) {
	mux.HandleFunc("GET /v1/watch", p.signedIn(func(w http.ResponseWriter, r *http.Request, _ string) {
		all, err := p.Lookout.Statuses(r.Context())
		if err != nil {
			problem(w, http.StatusServiceUnavailable, "what the watch knows could not be read")
			return
		}
		reply(w, http.StatusOK, map[string]any{"off": p.Settings.Config.Watch.Off, "every": time.Duration(p.Settings.Config.Watch.Every).String(), "keys": all})
	}))
	mux.HandleFunc("GET /v1/watch/alerts/{id}", p.signedIn(func(w http.ResponseWriter, r *http.Request, _ string) {
		f, err := p.DB.Finding(r.Context(), r.PathValue("id"))
		if err != nil {
			problem(w, http.StatusNotFound, "there is no alert with this id")
			return
		}
		found, err := lookout.Explain(f)
		if err != nil {
			problem(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		reply(w, http.StatusOK, found)
	}))
	mux.HandleFunc("POST /v1/watch/forget", p.signedIn(func(w http.ResponseWriter, r *http.Request, person string) {
		var b struct{ Alert string }
		if !read(w, r, &b) {
			return
		}
		if err := p.Lookout.Forget(r.Context(), b.Alert, person); err != nil {
			problem(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		reply(w, http.StatusOK, map[string]string{"alert": b.Alert, "forgotten_by": person})
	}))
}
