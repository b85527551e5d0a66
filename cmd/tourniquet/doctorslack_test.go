package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
)

func TestDoctorSeesWhatSlackDidNotTake(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	door := httptest.NewServer(promhttp.HandlerFor(m.Gatherer(), promhttp.HandlerOpts{}))
	t.Cleanup(door.Close)
	look := func(base string) string {
		e := &examination{s: settings{Config: &config.Config{Slack: &config.Slack{}}}}
		e.delivery(t.Context(), base)
		var all []string
		for _, f := range e.findings {
			all = append(all, f.Check+" "+f.Status+" "+f.Detail)
		}
		return strings.Join(all, "\n")
	}
	m.SlackCall("post a message", "ok")
	if got := look(door.URL); !strings.Contains(got, "slack deliveries "+foundOK) || strings.Contains(got, "so far") {
		t.Errorf("a Slack that works: %s", got)
	}
	m.SlackCall("post a message", "account_inactive")
	m.Undelivered("so-1", true)
	got := look(door.URL)
	for _, want := range []string{"slack deliveries " + foundFault, "1 sign-offs or questions", "post a message: account_inactive 1 times"} {
		if !strings.Contains(got, want) {
			t.Errorf("doctor does not say %q: %s", want, got)
		}
	}
	broken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(broken.Close)
	if got := look(broken.URL); !strings.Contains(got, "status 404") {
		t.Errorf("a serve without figures: %s", got)
	}
}
