package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func (sh *shell) temporalCmd() *cobra.Command {
	return group("temporal", "The workflow engine, where it runs elsewhere", sh.temporalNamespaceCmd(), sh.temporalServeCmd())
}

func (sh *shell) temporalNamespaceCmd() *cobra.Command {
	keep := 30 * 24 * time.Hour
	cmd := &cobra.Command{
		Use: "namespace", Short: "Make the namespace in an external cluster", Args: cobra.NoArgs,
		Long: "Make temporal.namespace in the cluster at temporal.address, or set how long an existing one keeps closed runs. The account\n" +
			"needs the right to register namespaces, once; serve does not. In Temporal Cloud make namespaces in its own console.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := sh.load()
			if err != nil {
				return err
			}
			s := settings{Config: c, Env: sh.places(c)}
			ring, err := seal.Load(ringPath(c))
			if err != nil {
				return err
			}
			cfg, err := clusterConfig(s, ring)
			if err != nil {
				return err
			}
			cfg.Retention = keep
			made, err := engine.EnsureNamespace(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			word := "was there; it keeps"
			if made {
				word = "is made; it keeps"
			}
			if sh.JSON {
				return sh.printJSON(map[string]any{"namespace": orElse(c.Temporal.Namespace, "tourniquet"), "made": made, "keeps": keep.String()})
			}
			return sh.say("the namespace %q %s closed runs for %s", orElse(c.Temporal.Namespace, "tourniquet"), word, keep)
		},
	}
	cmd.Flags().DurationVar(&keep, "keep", keep, "how long closed runs are kept, 24h or more")
	return cmd
}

// temporalServeCmd is a Temporal server alone, on loopback and without accounts: for tests and for trying several processes on one
// machine. A cluster of its own is what production wants.
func (sh *shell) temporalServeCmd() *cobra.Command {
	var dir, database string
	port := 7233
	cmd := &cobra.Command{
		Use: "serve", Short: "Run a Temporal server alone, on this machine only", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := config.Secret(database).Resolve(config.Places{Env: sh.Env})
			if err != nil {
				return err
			}
			return sh.temporalServe(cmd.Context(), engine.Config{DataDir: dir, Postgres: at, FrontendPort: port, Logger: sh.logger()})
		},
	}
	cmd.Flags().StringVar(&dir, "data-dir", "temporal-data", "folder of the lock and, without a PostgreSQL, of its state")
	cmd.Flags().StringVar(&database, "database-url", "", "reference to the address of a PostgreSQL, env://NAME for example")
	cmd.Flags().IntVar(&port, "port", port, "port on loopback")
	return cmd
}

func (sh *shell) temporalServe(ctx context.Context, cfg engine.Config) error {
	lock, err := engine.LockDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	cfg.Lock = lock
	// The server only moves payloads; its own client reads none, so any ring will do.
	ring, err := seal.LoadOrCreate(cfg.DataDir+"/unused-ring.json", rand.Reader)
	if err != nil {
		return err
	}
	cfg.DataConverter, cfg.FailureConverter = seal.DataConverter(ring), seal.FailureConverter(ring)
	eng, err := engine.Start(ctx, cfg)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(sh.Talk, "temporal is ready at 127.0.0.1:%d\n", cfg.FrontendPort)
	<-ctx.Done()
	return eng.Close()
}
