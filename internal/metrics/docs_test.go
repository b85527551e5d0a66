package metrics_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tourniquet-ir/tourniquet/internal/metrics"
)

func empty(context.Context) (metrics.Standing, error) { return metrics.Standing{}, nil }

// described is every name of the page with its labels, whether something was counted under it yet or not.
func described(t *testing.T) (out []string) {
	t.Helper()
	m := metrics.New()
	m.Records(empty, time.Now)
	all := make(chan *prometheus.Desc, 1000)
	m.Gatherer().(*prometheus.Registry).Describe(all)
	close(all)
	form := regexp.MustCompile(`fqName: "([a-z_]+)".*variableLabels: {([a-z_,]*)}`)
	for d := range all {
		found := form.FindStringSubmatch(d.String())
		if found == nil {
			t.Fatalf("the description %s does not read", d)
		}
		labels := strings.FieldsFunc(found[2], func(r rune) bool { return r == ',' })
		slices.Sort(labels)
		out = append(out, found[1]+" "+strings.Join(labels, " "))
	}
	slices.Sort(out)
	return out
}

func TestTheDocsNameEveryFigureAndNoOther(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	label := regexp.MustCompile("`([a-z_]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| `(tourniquet_[a-z_]+)` \\| (gauge|counter|histogram) \\| ([^|]*) \\|").FindAllStringSubmatch(string(page), -1) {
		var labels []string
		for _, l := range label.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		told = append(told, row[1]+" "+strings.Join(labels, " "))
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(tourniquet_[a-z_]+)` \\| (gauge|counter|histogram) \\| \\|").FindAllStringSubmatch(string(page), -1) {
		told = append(told, row[1]+" ")
	}
	slices.Sort(told)
	if got := described(t); !slices.Equal(got, told) {
		t.Errorf("the page has\n%s\nand docs/metrics.md tells\n%s", strings.Join(got, "\n"), strings.Join(told, "\n"))
	}
}

func TestWhatHappensInRunsIsCounted(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	m.Step("key.contain", "done")
	m.Step("key.contain", "failed")
	m.Signoff("executing", 90*time.Second)
	for _, status := range []int{200, 403, 503, 0} {
		m.ProviderCall("gemini", "prod", status, 80*time.Millisecond)
	}
	m.Avoided(1500.5)
	m.Avoided(-3)
	m.Swept("gemini", "prod", 7, 2, 1, 0, time.Unix(1_800_000_000, 0))
	got := page(t, m)
	for _, want := range []string{
		`tourniquet_steps_total{action="key.contain",status="failed"} 1`, `tourniquet_signoff_seconds_bucket{state="executing",le="120"} 1`,
		`tourniquet_provider_calls_total{account="prod",outcome="refused",provider="gemini"} 1`, `outcome="failed",provider="gemini"} 1`, `outcome="unreachable",provider="gemini"} 1`,
		`tourniquet_provider_call_seconds_count{account="prod",provider="gemini"} 4`, "tourniquet_burn_avoided_dollars_total 1500.5\n",
		`tourniquet_watch_polls_total{account="prod",provider="gemini",result="failed"} 3`, `tourniquet_watch_polls_total{account="prod",provider="gemini",result="read"} 7`,
		`tourniquet_watch_keys{account="prod",provider="gemini",state="blind"} 1`, `tourniquet_watch_last_sweep_timestamp_seconds{account="prod",provider="gemini"} 1.8e+09`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var none *metrics.Metrics
	none.Step("x", "done")
	none.Signoff("x", 0)
	none.ProviderCall("x", "y", 0, 0)
	none.Avoided(1)
}

func TestTheRecordsAreCountedAtALookAndNotAtEveryLook(t *testing.T) {
	t.Parallel()
	m, reads, now := metrics.New(), 0, time.Unix(1_800_000_000, 0)
	broken := false
	m.Records(func(context.Context) (metrics.Standing, error) {
		reads++
		if broken {
			return metrics.Standing{}, errors.New("the database is away")
		}
		return metrics.Standing{Alerts: []metrics.Count{{A: "github", B: "started", N: 3}}, Runs: []metrics.Count{{A: "done", B: "contained", N: 2}}, OpenSignoffs: 4}, nil
	}, func() time.Time { return now })
	got := page(t, m)
	for _, want := range []string{`tourniquet_alerts{fate="started",source="github"} 3`, `tourniquet_runs{outcome="contained",state="done"} 2`, `tourniquet_waiting_for_people{what="signoff"} 4`, "tourniquet_records_readable 1\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if page(t, m); reads != 1 {
		t.Errorf("two looks at once read the records %d times", reads)
	}
	now, broken = now.Add(time.Minute), true
	if got := page(t, m); !strings.Contains(got, "tourniquet_records_readable 0\n") || strings.Contains(got, "tourniquet_runs{") {
		t.Error("records that cannot be read are not said to be so")
	}
}
