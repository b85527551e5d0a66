package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
	"github.com/tourniquet-ir/tourniquet/internal/signals"
)

// openTracing is nil where no receiver is configured. What is left is sent when the house closes.
func openTracing(s settings, lc fx.Lifecycle) (*signals.Tracing, error) {
	c := s.Config.Tracing
	headers := map[string]string{}
	for name, ref := range c.Headers {
		v, err := ref.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("tracing.headers.%s: %w", name, err)
		}
		headers[name] = v
	}
	t, err := signals.Open(context.Background(), signals.Options{Endpoint: c.Endpoint, Headers: headers, Sample: c.Share(), Version: thisRelease(debug.ReadBuildInfo()).Version, World: s.World})
	if err != nil || t == nil {
		return nil, err
	}
	lc.Append(fx.StopHook(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := t.Close(ctx); err != nil {
			s.Log.Warn("the last traces were not sent", "error", err)
		}
		return nil
	}))
	return t, nil
}

// wiredAccounts are the accounts with their requests measured and traced.
func wiredAccounts(s settings, m *metrics.Metrics, t *signals.Tracing) ([]activities.Account, error) {
	s.wire = func(provider, account string) http.RoundTripper {
		return signals.Transport{Provider: provider, Account: account, Meter: m, Tracing: t}
	}
	return accounts(s)
}

// client is what a provider's own client is laid over; nil is the default.
func (s settings) client(provider, account string) *http.Client {
	if s.wire == nil {
		return nil
	}
	return &http.Client{Transport: s.wire(provider, account)}
}

// countRecords puts what our records hold on the metrics page.
func countRecords(db *database.DB, m *metrics.Metrics) {
	m.Records(func(ctx context.Context) (metrics.Standing, error) {
		s, err := db.Standing(ctx)
		return metrics.Standing{Alerts: counts(s.Alerts), Runs: counts(s.Runs), OpenSignoffs: s.OpenSignoffs, OpenAsking: s.OpenAsking}, err
	}, time.Now)
}

func counts(in []database.Count) (out []metrics.Count) {
	for _, c := range in {
		out = append(out, metrics.Count(c))
	}
	return out
}
