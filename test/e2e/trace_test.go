package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signals/signaltest"
)

// traced has serve send its traces to a receiver of this test.
func traced(t *testing.T, h *product) *signaltest.Receiver {
	t.Helper()
	to := signaltest.Start(t)
	body, err := os.ReadFile(h.config())
	if err != nil {
		t.Fatal(err)
	}
	body = append(body, "\ntracing: { endpoint: \""+to.Endpoint+"\" }\n"...)
	if err := os.WriteFile(h.config(), body, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestOneTraceReachesFromTheAlertToTheLastCallAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	to := traced(t, h)
	h.start(t)
	h.signIn(t)
	h.webhook(t, s.GitHubURL, s.AlertNumber)
	s.signRevocation(t, s.signReplacement(t))
	run := h.finished(t, 50*time.Second)
	fresh, _ := s.GitHub.Secret("example-org", "shop", "", "SHOP_GEMINI_KEY")
	_, page := h.get(t, "/metrics")
	h.serve.end(t)
	spans := to.Spans()
	for _, action := range []string{"key.identify", "key.contain", "usage.snapshot", "key.create", "key.revoke", "key.probe"} {
		if err := reaches(to, spans, run.ID, action); err != nil {
			t.Error(err)
		}
	}
	traces := map[string]bool{}
	for _, sp := range spans {
		if sp.About["tourniquet.run"] == run.ID {
			traces[sp.Trace] = true
		}
	}
	if len(traces) != 1 {
		t.Errorf("the run lies in %d traces", len(traces))
	}
	secrets := newSeeker(s.Key.Secret(), fresh)
	if hits := secrets.in(to.Raw()); len(hits) > 0 {
		t.Errorf("the traces hold %s", hits[0])
	}
	for _, want := range []string{`tourniquet_runs{outcome="contained",state="done"} 1`, `tourniquet_alerts{fate="started",source="github"} 1`, `tourniquet_steps_total{action="key.revoke",status="done"} 1`,
		`tourniquet_signoff_seconds_count{state="executing"} 2`, `tourniquet_provider_calls_total{account="demo",outcome="ok",provider="gemini"}`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
}

// reaches wants a request at the provider below the action, the activity, the workflow and the alert.
func reaches(to *signaltest.Receiver, spans []signaltest.Span, run, action string) error {
	found := ""
	for _, s := range spans {
		if s.Name != "provider request" {
			continue
		}
		way := to.Way(s)
		if !slices.Contains(way, "action "+action) {
			continue
		}
		found = strings.Join(way, " > ")
		workflow := slices.ContainsFunc(way, func(n string) bool { return strings.HasPrefix(n, "RunWorkflow:") })
		activity := slices.ContainsFunc(way, func(n string) bool { return n == "RunActivity:"+action })
		if way[0] == "alert" && workflow && activity {
			return nil
		}
	}
	return fmt.Errorf("no request of %s in run %s reaches up to the alert; the best is %q", action, run, found)
}
