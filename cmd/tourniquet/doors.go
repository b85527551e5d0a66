package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signals"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

// deskParams are what turns human acts into decisions.
type deskParams struct {
	fx.In
	Settings settings
	DB       *database.DB
	People   *people.Directory
	Signer   *seal.Signer
	Temporal client.Client
	Cards    *cards.Board
	Chat     chat.Chat `optional:"true"`
}

func desk(p deskParams, lc fx.Lifecycle) *gateway.Gateway {
	g := gateway.New(gateway.Options{
		DB: p.DB, People: p.People, Signer: p.Signer, Temporal: p.Temporal, Cards: p.Cards, Chat: p.Chat, World: p.Settings.World, Log: p.Settings.Log, Now: time.Now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			if shared(p.Settings.Config) {
				beside.Go(func() { g.KeepResuming(ctx) })
			}
			return g.Resume(ctx)
		},
		OnStop: func(context.Context) error { cancel(); beside.Wait(); g.Close(); return nil },
	})
	return g
}

func newStarter(s settings, tracing *signals.Tracing, db *database.DB, c client.Client, books *starter.Shelf, keys trusted, inv *inventory.Inventory, g *gateway.Gateway) *starter.Starter {
	return starter.New(starter.Options{
		DB: db, Temporal: c, Library: books.Library, Compile: books.Compile, Policy: s.Config.Policy, PublicKeys: keys, Mode: s.Config.Mode, World: s.World, Log: s.Log, Now: time.Now, Trace: tracing.Begin,
		Critical: inv.MayBeCritical, Gone: g.CloseGone,
	})
}

func newDispatcher(s settings, db *database.DB, st *starter.Starter, lc fx.Lifecycle) *intake.Dispatcher {
	d := intake.NewDispatcher(intake.DispatcherOptions{Queue: db, Starter: st, Logger: s.Log, Now: time.Now})
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			both.Go(func() { d.Run(ctx) })
			both.Go(func() { tellRestored(ctx, s, st) })
			return nil
		},
		OnStop: func(context.Context) error { cancel(); both.Wait(); return nil },
	})
	return d
}

// tellRestored tells open runs of a restore; while the workflow engine is away, again and again.
func tellRestored(ctx context.Context, s settings, st *starter.Starter) {
	again := time.NewTicker(10 * time.Second)
	defer again.Stop()
	for err := st.TellRestored(ctx); err != nil && ctx.Err() == nil; err = st.TellRestored(ctx) {
		s.Log.Warn("open runs were not told yet that the records came out of a backup", "error", err)
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

// routeParams are the rooms behind our doors.
type routeParams struct {
	fx.In
	Settings  settings
	DB        *database.DB
	Evidence  *evidence.Store
	Ring      *seal.Ring
	Signer    *seal.Signer
	Engine    *engine.Engine
	GitHub    gitHubPorts
	Sources   []sources.Source
	Slack     *slack.Chat `optional:"true"`
	Desk      *gateway.Gateway
	Starter   *starter.Starter
	Wake      *intake.Dispatcher
	Lookout   *lookout.Lookout
	Books     *starter.Shelf
	Metrics   *metrics.Metrics
	Accounts  []activities.Account
	Inventory *inventory.Inventory
	Health    healthParams
}

// routes is every path that we answer.
func routes(p routeParams) (http.Handler, error) {
	alerts, err := alertDoor(p)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/alerts/", alerts)
	if h := slackDoor(p.Slack, p.Desk, p.DB); h != nil {
		mux.Handle("/v1/slack/", http.StripPrefix("/v1/slack", h))
	}
	health(mux, p.Health)
	options, err := consoleOptions(p)
	if err != nil {
		return nil, err
	}
	pages, err := console.New(options)
	if err != nil {
		return nil, err
	}
	web := pages.Handler()
	mux.Handle("/", web)
	mux.Handle("GET /v1/alerts", web) // the list is for people; what lies below it is the sources' door
	return mux, nil
}

// readers lets people with a personal token read the fate of an alert.
type readers struct{ db *database.DB }

func (r readers) Check(ctx context.Context, q sources.Request) error {
	if _, ok := personOf(ctx, r.db, q.Headers); !ok {
		return errors.New("not authenticated")
	}
	return nil
}

// personOf maps a bearer token to the person it was issued to.
func personOf(ctx context.Context, db *database.DB, h http.Header) (string, bool) {
	token, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return "", false
	}
	t, _ := whose(ctx, db, token)
	return t.Person, t.Person != ""
}

// tokenHash is all that is kept of a personal token; tokens are long and random, so a plain hash is enough.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte("tourniquet/token/v1\n" + token))
	return hex.EncodeToString(sum[:])
}

// listen opens the doors last and closes them first.
func listen(s settings, h http.Handler, d *drain, lc fx.Lifecycle) error {
	secure, err := doorTLS(s.Config)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Config.Server.Listen)
			if err != nil {
				return fmt.Errorf("server.listen: %s is not free: %w", s.Config.Server.Listen, err)
			}
			if secure != nil {
				l = tls.NewListener(l, secure)
			}
			go func() {
				if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
					s.Log.Error("the server stopped", "error", err)
				}
			}()
			if s.Ready != nil {
				s.Ready(s.Config.URL())
			}
			return nil
		},
		OnStop: func(ctx context.Context) error {
			d.begin(ctx)
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if err := srv.Shutdown(ctx); err != nil {
				return srv.Close() // live pages hold their connection open
			}
			return nil
		},
	})
	return nil
}

// socketParams is Socket Mode: no inbound port is needed.
type socketParams struct {
	fx.In
	Settings settings
	Slack    *slack.Chat `optional:"true"`
	Desk     *gateway.Gateway
}

func runSocket(p socketParams, lc fx.Lifecycle) {
	if p.Slack == nil || !p.Settings.Config.Slack.SocketMode {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() {
				defer close(done)
				if err := p.Slack.RunSocket(ctx, p.Desk); err != nil && ctx.Err() == nil {
					p.Settings.Log.Error("Socket Mode ended; presses do not arrive", "error", err)
				}
			}()
			return nil
		},
		OnStop: func(context.Context) error { cancel(); <-done; p.Slack.Wait(); return nil },
	})
}
