package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics is one set of figures.
type Metrics struct {
	registry *prometheus.Registry

	slackCalls  *prometheus.CounterVec
	slackAnswer prometheus.Gauge
	slackActs   *prometheus.CounterVec
	slackAcks   prometheus.Histogram
	aside       prometheus.Counter
	undelivered prometheus.GaugeFunc
	watched     *prometheus.GaugeVec
	swept       *prometheus.GaugeVec
	alarms      *prometheus.CounterVec
	polls       *prometheus.CounterVec
	course      course

	mu      sync.Mutex
	waiting map[string]bool // sign-offs and questions that chat has not taken yet
}

// New makes a set and its registry.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), waiting: map[string]bool{}}
	m.slackCalls = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tourniquet_slack_calls_total",
		Help: "Calls of Slack's Web API, by what was asked and how it ended."}, []string{"call", "outcome"})
	m.slackAnswer = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tourniquet_slack_last_ok_timestamp_seconds",
		Help: "When Slack last did what it was asked, in Unix time; 0 until then."})
	m.slackActs = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tourniquet_slack_acts_total",
		Help: "Taps, submits and commands that Slack delivered, by kind; repeated ones were delivered before."}, []string{"kind", "result"})
	m.slackAcks = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tourniquet_slack_ack_seconds",
		Help:    "From the arrival of an act to its acknowledgement; Slack gives up after 3 seconds.",
		Buckets: []float64{.005, .01, .025, .05, .1, .2, .3, .5, 1, 2, 3}})
	m.aside = prometheus.NewCounter(prometheus.CounterOpts{Name: "tourniquet_signoffs_told_aside_total",
		Help: "Sign-offs and questions about which people were mailed or paged because chat did not take them."})
	m.undelivered = prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tourniquet_signoffs_undelivered",
		Help: "Open sign-offs and questions that chat has not taken yet."}, m.count)
	account := []string{"provider", "account"}
	m.watched = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tourniquet_watch_keys",
		Help: "Keys of the inventory by what the last sweep made of them: seen, failing (not readable, asked less and less often) or blind (not readable for so long that it is an alert)."},
		[]string{"provider", "account", "state"})
	m.swept = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tourniquet_watch_last_sweep_timestamp_seconds",
		Help: "When the watch last finished a sweep over an account's keys, in Unix time."}, account)
	m.alarms = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tourniquet_watch_alarms_total",
		Help: "Readings that were alarming; those of one incident are one alert."}, account)
	m.polls = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tourniquet_watch_polls_total",
		Help: "Keys at each sweep, by whether their use could be read at the last question; one that fails is asked less often and counts at every sweep."}, []string{"provider", "account", "result"})
	m.registry.MustRegister(m.polls)
	m.course = newCourse()
	m.registry.MustRegister(m.course.all()...)
	m.registry.MustRegister(m.watched, m.swept, m.alarms)
	m.registry.MustRegister(m.slackCalls, m.slackAnswer, m.slackActs, m.slackAcks, m.aside, m.undelivered)
	return m
}

// Gatherer is what the metrics page shows.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

func (m *Metrics) count() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return float64(len(m.waiting))
}

// SlackCall counts one call: outcome is "ok", Slack's own error code, or what broke instead.
func (m *Metrics) SlackCall(call, outcome string) {
	if m == nil {
		return
	}
	m.slackCalls.WithLabelValues(call, outcome).Inc()
	if outcome == "ok" {
		m.slackAnswer.SetToCurrentTime()
	}
}

// SlackAct counts one act of a person and how long Slack waited for its acknowledgement.
func (m *Metrics) SlackAct(kind string, repeated bool, took time.Duration) {
	if m == nil {
		return
	}
	result := "taken"
	if repeated {
		result = "repeated"
	}
	m.slackActs.WithLabelValues(kind, result).Inc()
	m.slackAcks.Observe(took.Seconds())
}

// Undelivered says that chat has not taken a sign-off or a question yet, or that this is over.
func (m *Metrics) Undelivered(id string, waits bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if waits {
		m.waiting[id] = true
	} else {
		delete(m.waiting, id)
	}
}

// Swept says how one sweep over the keys of an account ended.
func (m *Metrics) Swept(provider, account string, seen, failing, blind, alarms int, at time.Time) {
	if m == nil {
		return
	}
	for state, n := range map[string]int{"seen": seen, "failing": failing, "blind": blind} {
		m.watched.WithLabelValues(provider, account, state).Set(float64(n))
	}
	m.polls.WithLabelValues(provider, account, "read").Add(float64(seen))
	m.polls.WithLabelValues(provider, account, "failed").Add(float64(failing + blind))
	m.swept.WithLabelValues(provider, account).Set(float64(at.Unix()))
	m.alarms.WithLabelValues(provider, account).Add(float64(alarms))
}

// ToldAside counts a mail or a page that stood in for chat.
func (m *Metrics) ToldAside() {
	if m != nil {
		m.aside.Inc()
	}
}
