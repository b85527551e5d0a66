package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
)

// drain is the time between saying that we close and closing: whoever stands in front sends new callers elsewhere meanwhile.
type drain struct {
	wait    time.Duration
	closing atomic.Bool
}

func newDrain(s settings) *drain { return &drain{wait: time.Duration(s.Config.Server.Drain)} }

func (d *drain) begin(ctx context.Context) {
	d.closing.Store(true)
	timer := time.NewTimer(d.wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// healthParams are whom readiness asks.
type healthParams struct {
	fx.In
	Engine  *engine.Engine
	DB      *database.DB
	Metrics *metrics.Metrics
	Drain   *drain
}

// healthRoutes are all that a worker answers.
func healthRoutes(p healthParams) http.Handler {
	mux := http.NewServeMux()
	health(mux, p)
	return mux
}

func health(mux *http.ServeMux, p healthParams) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if why := p.unready(r.Context()); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{prometheus.DefaultGatherer, p.Metrics.Gatherer()}, promhttp.HandlerOpts{}))
}

func (p healthParams) unready(ctx context.Context) string {
	if p.Drain.closing.Load() {
		return "this process is closing"
	}
	if err := p.DB.Ping(ctx); err != nil {
		return "the database does not answer"
	}
	if _, err := p.Engine.Client().CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return "the workflow engine does not answer"
	}
	return ""
}
