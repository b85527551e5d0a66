package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	readyWithin = 30 * time.Second
	readyTick   = 5 * time.Millisecond
	// probe names a run and a task queue that do not exist.
	probe = "tourniquet-readiness-probe"
)

// Engine is a running server with a client, or only a client when the server is elsewhere.
type Engine struct {
	client    client.Client
	namespace string
	server    *server  // nil when external
	lock      *DirLock // nil when external or when the caller owns it

	once sync.Once
	err  error
}

// Start returns when runs can be started and move. It needs Close, also to give the data directory back.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.External != nil {
		return connect(ctx, cfg)
	}
	e := &Engine{namespace: cfg.Namespace}
	if err := e.startEmbedded(ctx, cfg); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Client speaks in the engine's namespace and encrypts everything. Engine.Close closes it.
func (e *Engine) Client() client.Client { return e.client }

// Namespace is where the runs are.
func (e *Engine) Namespace() string { return e.namespace }

// Close stops the embedded server within 10 seconds and gives the data directory back. Stop workers before. Further calls
// return what the first one did.
func (e *Engine) Close() error {
	e.once.Do(func() {
		var errs []error
		if e.client != nil {
			e.client.Close()
		}
		if e.server != nil {
			errs = append(errs, e.server.stop())
		}
		e.err = errors.Join(append(errs, e.lock.Release())...)
	})
	return e.err
}

func (e *Engine) startEmbedded(ctx context.Context, cfg Config) error {
	if cfg.Lock == nil {
		lock, err := LockDir(cfg.DataDir)
		if err != nil {
			return err
		}
		e.lock = lock
	}
	var err error
	if e.server, err = startServer(ctx, cfg); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if e.client, err = client.NewLazyClient(clientOptions(cfg, e.server.address)); err != nil {
		return fmt.Errorf("making a client of the workflow engine: %w", err)
	}
	if err := e.ready(ctx); err != nil {
		return err
	}
	e.server.muted.Store(false)
	cfg.Logger.Debug("the workflow engine is ready", "address", e.server.address, "namespace", cfg.Namespace)
	return e.keepFor(ctx, cfg.Retention)
}

func clientOptions(cfg Config, hostPort string) client.Options {
	o := client.Options{
		HostPort:         hostPort,
		Namespace:        cfg.Namespace,
		DataConverter:    cfg.DataConverter,
		FailureConverter: cfg.FailureConverter,
		Logger:           sdklog.NewStructuredLogger(slog.New(atLeast{Handler: cfg.Logger.Handler(), level: slog.LevelWarn})),
	}
	if cfg.Interceptor != nil { // workers that are made with this client take it over
		o.Interceptors = []interceptor.ClientInterceptor{cfg.Interceptor}
	}
	return o
}

// ready asks until each of the three services has answered from its tables.
func (e *Engine) ready(ctx context.Context) error {
	tick := time.NewTicker(readyTick)
	defer tick.Stop()
	for {
		err := e.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the workflow engine started but is not ready: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

func (e *Engine) answers(ctx context.Context) error {
	api := e.client.WorkflowService()
	if _, err := api.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: e.namespace}); err != nil {
		return fmt.Errorf("asking for the namespace %q: %w", e.namespace, err)
	}
	_, err := e.client.DescribeWorkflowExecution(ctx, probe, "") // history has its shard when it is sure that there is none
	if notFound := new(serviceerror.NotFound); err != nil && !errors.As(err, &notFound) {
		return fmt.Errorf("asking for a run: %w", err)
	}
	_, err = api.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace:     e.namespace,
		TaskQueue:     &taskqueuepb.TaskQueue{Name: probe, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	if err != nil {
		return fmt.Errorf("asking for a task queue: %w", err)
	}
	return nil
}

// keepFor brings a namespace of an earlier start to the retention that is configured now.
func (e *Engine) keepFor(ctx context.Context, retention time.Duration) error {
	api := e.client.WorkflowService()
	ns, err := api.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: e.namespace})
	if err != nil {
		return fmt.Errorf("asking for the namespace %q: %w", e.namespace, err)
	}
	if ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() == retention {
		return nil
	}
	_, err = api.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: e.namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(retention)},
	})
	if err != nil {
		return fmt.Errorf("setting how long closed runs are kept to %v: %w", retention, err)
	}
	return nil
}
