package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/dig"
	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func (sh *shell) serveCmd() *cobra.Command {
	part := ""
	cmd := &cobra.Command{
		Use: "serve", Short: "Run Tourniquet: doors, console, worker and workflow engine", Args: cobra.NoArgs,
		Long: "Run Tourniquet. With --role api or worker this process is one half of it, beside others that share a PostgreSQL and a\n" +
			"Temporal cluster: the api has the doors and the signing key, workers make the calls and have public keys only.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := os.Stat(sh.Config); errors.Is(err, os.ErrNotExist) {
				return misuse("there is no configuration at %q; make one with: tourniquet init", sh.Config)
			}
			c, err := config.Load(sh.Config)
			if err != nil {
				return &coded{exitMisuse, err}
			}
			r, err := parseRole(part)
			if err != nil {
				return err
			}
			return sh.serve(cmd.Context(), c, r)
		},
	}
	cmd.Flags().StringVar(&part, "role", sh.env("TOURNIQUET_ROLE", "all"), "all, api or worker")
	return cmd
}

// serve runs until the context ends, then drains.
func (sh *shell) serve(ctx context.Context, c *config.Config, r role) error {
	log := sh.logger()
	s := settings{Config: c, Env: sh.places(c), World: incident.WorldProduction, Role: r, Log: log, Ready: func(url string) {
		if !r.is(roleAPI) {
			_, _ = fmt.Fprintf(sh.Talk, "tourniquet is ready: a worker, health at %s (mode %s)\n", url, c.Mode)
			return
		}
		_, _ = fmt.Fprintf(sh.Talk, "tourniquet is ready at %s (mode %s)\n", url, c.Mode)
		if c.Mode == incident.ModeObserve {
			_, _ = fmt.Fprintln(sh.Talk, "mode observe: alerts are matched, planned and told; nothing undoable or final is done")
		}
	}}
	stop, err := open(ctx, s)
	if err != nil {
		return err
	}
	<-ctx.Done()
	_, _ = fmt.Fprintln(sh.Talk, "tourniquet is closing; open runs go on at the next start")
	return stop()
}

// open starts the house; the answer closes it again.
func open(ctx context.Context, s settings, more ...fx.Option) (stop func() error, err error) {
	house := fx.New(append([]fx.Option{app(s)}, more...)...)
	if err := house.Err(); err != nil {
		return nil, plainError(err)
	}
	if err := house.Start(ctx); err != nil {
		bg, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return nil, errors.Join(plainError(err), house.Stop(bg))
	}
	return func() error {
		bg, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return house.Stop(bg)
	}, nil
}

// plainError takes the wiring's own words off: a stranger wants the sentence, not the constructor.
func plainError(err error) error { return dig.RootCause(err) }

// logger writes warnings and errors for people; a drill and a server talk the same way.
func (sh *shell) logger() *slog.Logger {
	level := slog.LevelInfo
	if v, ok := sh.Env("TOURNIQUET_LOG"); ok {
		_ = level.UnmarshalText([]byte(v))
	}
	if form, _ := sh.Env("TOURNIQUET_LOG_FORMAT"); form == "json" {
		return slog.New(slog.NewJSONHandler(sh.Talk, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(slog.NewTextHandler(sh.Talk, &slog.HandlerOptions{Level: level}))
}
