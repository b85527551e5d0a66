package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tourniquet-ir/tourniquet/internal/metrics"
)

func page(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(m.Gatherer(), promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

func TestThePageShowsWhatHappened(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	if !strings.Contains(page(t, m), "tourniquet_slack_last_ok_timestamp_seconds 0\n") {
		t.Error("Slack is said to have answered before it was asked")
	}
	m.SlackCall("post a message", "ratelimited")
	m.SlackCall("post a message", "ok")
	m.SlackAct("submit", false, 20*time.Millisecond)
	m.SlackAct("submit", true, time.Millisecond)
	m.Undelivered("so-1", true)
	m.Undelivered("so-1", true)
	m.Undelivered("so-2", true)
	m.Undelivered("so-2", false)
	m.ToldAside()
	got := page(t, m)
	for _, want := range []string{
		`tourniquet_slack_calls_total{call="post a message",outcome="ok"} 1`, `tourniquet_slack_calls_total{call="post a message",outcome="ratelimited"} 1`,
		`tourniquet_slack_acts_total{kind="submit",result="repeated"} 1`, `tourniquet_slack_ack_seconds_bucket{le="0.3"} 2`,
		"tourniquet_signoffs_undelivered 1\n", "tourniquet_signoffs_told_aside_total 1\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(got, "last_ok_timestamp_seconds 0\n") {
		t.Error("an answer of Slack did not move its time")
	}
}

func TestNoMetricsCountNothing(t *testing.T) {
	t.Parallel()
	var m *metrics.Metrics
	m.SlackCall("x", "ok")
	m.SlackAct("x", false, 0)
	m.Undelivered("x", true)
	m.ToldAside()
}
