//go:build !slim

package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"
)

// portTries is on how many sets of ports the server is started before a taken one is an error.
const portTries = 4

// server is the embedded Temporal server and what it stands on.
type server struct {
	impl    temporal.Server
	store   store
	address string
	muted   *atomic.Bool
}

// store is where the server keeps its state.
type store interface {
	// prepare makes or upgrades the tables and keeps others out until the store is closed.
	prepare(ctx context.Context) error
	// persistence is how the server finds it.
	persistence() config.Persistence
	// close is called when the server has stopped.
	close(ctx context.Context) error
}

// startServer prepares the store and starts. The caller holds the lock of the data directory.
func startServer(ctx context.Context, cfg Config) (*server, error) {
	st, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	s, err := startOn(ctx, cfg, st)
	if err != nil {
		return nil, errors.Join(err, st.close(ctx))
	}
	return s, nil
}

func newStore(cfg Config) (store, error) {
	if cfg.Postgres != "" {
		return newPostgresStore(cfg.Postgres)
	}
	return newFileStore(cfg.DataDir)
}

func startOn(ctx context.Context, cfg Config, st store) (*server, error) {
	if err := st.prepare(ctx); err != nil {
		return nil, err
	}
	if err := ensureNamespace(st, cfg.Namespace, cfg.Retention); err != nil {
		return nil, err
	}
	s, err := runServer(cfg, st)
	for again := 1; again < portTries && errors.Is(err, syscall.EADDRINUSE); again++ { // somebody took a port between our letting go and the server's listening
		s, err = runServer(cfg, st)
	}
	return s, err
}

// ensureNamespace registers the namespace before the server starts, which then knows it at once.
func ensureNamespace(st store, name string, retention time.Duration) error {
	ns, err := sqlite.NewNamespaceConfig(clusterName, name, false, nil)
	if err != nil {
		return fmt.Errorf("describing the namespace %q: %w", name, err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	p := st.persistence()
	if err := sqlite.CreateNamespaces(p.DataStores[p.DefaultStore].SQL, ns); err != nil { // by way of whichever plugin the store names
		return fmt.Errorf("registering the namespace %q: %w", name, err)
	}
	return nil
}

// runServer starts once on fresh ports. What the server would end the process for becomes an error.
func runServer(cfg Config, st store) (s *server, err error) {
	p, err := cfg.choosePorts()
	if err != nil {
		return nil, err
	}
	s = &server{store: st, address: address(p.frontend), muted: &atomic.Bool{}}
	s.muted.Store(true) // until it is ready: what goes wrong before then is in the error
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, asError(r)
		}
	}()
	if err := p.release(); err != nil {
		return nil, fmt.Errorf("handing the ports to the workflow engine: %w", err)
	}
	s.impl, err = temporal.NewServer(s.options(cfg, p)...)
	if err != nil {
		return nil, fmt.Errorf("putting the workflow engine together: %w", err)
	}
	if err := s.impl.Start(); err != nil {
		return nil, fmt.Errorf("starting the workflow engine: %w", err)
	}
	return s, nil
}

func asError(r any) error {
	if err, ok := r.(error); ok {
		return fmt.Errorf("the workflow engine gave up while starting: %w", err)
	}
	return fmt.Errorf("the workflow engine gave up while starting: %v", r)
}

func (s *server) options(cfg Config, p *ports) []temporal.ServerOption {
	return []temporal.ServerOption{
		temporal.WithConfig(serverConfig(s.store, p)),
		temporal.ForServices([]string{
			string(primitives.FrontendService), string(primitives.HistoryService), string(primitives.MatchingService),
		}),
		temporal.WithStaticHosts(hosts(p)),
		temporal.WithLogger(serverLogger{out: cfg.Logger, muted: s.muted}),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithCustomMetricsHandler(metrics.NoopMetricsHandler),
		temporal.WithDynamicConfigClient(dynamic()),
	}
}

// hosts replaces the gossip by which the members of a cluster find each other: there is one, and it is us. That saves
// four ports, the start-up time of the gossip and the rows that a killed process would leave behind.
func hosts(p *ports) map[primitives.ServiceName]static.Hosts {
	return map[primitives.ServiceName]static.Hosts{
		primitives.FrontendService: static.SingleLocalHost(address(p.frontend)),
		primitives.HistoryService:  static.SingleLocalHost(address(p.history)),
		primitives.MatchingService: static.SingleLocalHost(address(p.matching)),
		primitives.WorkerService:   static.SingleLocalHost(address(p.frontend)), // must be named, does not run
	}
}

func serverConfig(st store, p *ports) *config.Config {
	service := func(port int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
	}
	const off = "disabled"
	return &config.Config{
		Persistence: st.persistence(),
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(p.frontend),
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService): service(p.frontend),
			string(primitives.HistoryService):  service(p.history),
			string(primitives.MatchingService): service(p.matching),
			string(primitives.WorkerService):   service(0),
		},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: off},
			Visibility: config.VisibilityArchival{State: off},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: off},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: off},
		}},
		PublicClient: config.PublicClient{HostPort: address(p.frontend)},
	}
}

// stop drains the server for at most closeWithin and closes its store.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	s.muted.Store(true)
	done := make(chan error, 1)
	go func() { done <- s.impl.Stop() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("stopping the workflow engine: %w", err)
		}
		return s.store.close(ctx)
	case <-ctx.Done():
		return fmt.Errorf("the workflow engine did not stop within %v; nothing is lost, it recovers at the next start", closeWithin)
	}
}
