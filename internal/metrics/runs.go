package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// course is what happens in runs.
type course struct {
	steps     *prometheus.CounterVec
	signoffs  *prometheus.HistogramVec
	calls     *prometheus.CounterVec
	callTimes *prometheus.HistogramVec
	avoided   prometheus.Counter
}

func newCourse() course {
	return course{
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tourniquet_steps_total",
			Help: "Calls of actions that ended, by action and by how: done, failed, or waiting for a person's part in them."}, []string{"action", "status"}),
		signoffs: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tourniquet_signoff_seconds",
			Help:    "From the asking of a sign-off to its end by people or by the clock, by how it ended: executing (the last seat was filled), rejected, expired and so on.",
			Buckets: []float64{15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400}}, []string{"state"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tourniquet_provider_calls_total",
			Help: "HTTP requests to providers of keys, by account and outcome: ok, refused (4xx), failed (5xx) or unreachable."}, []string{"provider", "account", "outcome"}),
		callTimes: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tourniquet_provider_call_seconds",
			Help: "How long providers take to answer a request.", Buckets: []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"provider", "account"}),
		avoided: prometheus.NewCounter(prometheus.CounterOpts{Name: "tourniquet_burn_avoided_dollars_total",
			Help: "Estimated from each theft's own rate: what the rest of 48 hours would have cost, of runs that ended contained. See the report's figure of the same name."}),
	}
}

func (c course) all() []prometheus.Collector {
	return []prometheus.Collector{c.steps, c.signoffs, c.calls, c.callTimes, c.avoided}
}

// Step counts the end of one call of an action.
func (m *Metrics) Step(action, status string) {
	if m != nil {
		m.course.steps.WithLabelValues(action, status).Inc()
	}
}

// Signoff says how long a sign-off took to get to a state.
func (m *Metrics) Signoff(state string, took time.Duration) {
	if m != nil {
		m.course.signoffs.WithLabelValues(state).Observe(took.Seconds())
	}
}

// ProviderCall counts one request; status is 0 where nobody answered.
func (m *Metrics) ProviderCall(provider, account string, status int, took time.Duration) {
	if m == nil {
		return
	}
	outcome := "ok"
	switch {
	case status == 0:
		outcome = "unreachable"
	case status >= 500:
		outcome = "failed"
	case status >= 400:
		outcome = "refused"
	}
	m.course.calls.WithLabelValues(provider, account, outcome).Inc()
	m.course.callTimes.WithLabelValues(provider, account).Observe(took.Seconds())
}

// Avoided adds dollars that a contained theft did not cost any more.
func (m *Metrics) Avoided(usd float64) {
	if m != nil && usd > 0 {
		m.course.avoided.Add(usd)
	}
}
