package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const alertToken = "alertmanager-token-of-a-test"

// listenToAlertmanager adds a source to the configuration that the sandbox wrote.
func (h *product) listenToAlertmanager(t *testing.T) {
	t.Helper()
	token := filepath.Join(h.dir, "secrets", "alertmanager-token")
	config, err := os.ReadFile(h.config())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(config), "\nsources:\n", "\nsources:\n  alertmanager: { trust: act, token: \"file://"+filepath.ToSlash(token)+"\" }\n", 1)
	if text == string(config) {
		t.Fatal("the configuration has no sources: the test must follow it")
	}
	for path, body := range map[string]string{token: alertToken, h.config(): text} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// received is one alert in the list of all.
type received struct {
	incident.Alert
	Fate struct {
		Status   string `json:"status"`
		Incident string `json:"incident_id"`
		Run      string `json:"run_id"`
	} `json:"fate"`
}

func (h *product) alerts(t *testing.T) []received {
	t.Helper()
	var all struct{ Items []received }
	h.read(t, "/v1/alerts", &all)
	return all.Items
}

// heard counts the alerts on the timeline of a run.
func (h *product) heard(t *testing.T, run string) (n int) {
	t.Helper()
	_, body := h.get(t, "/v1/runs/"+run+"/timeline")
	return strings.Count(string(body), `"alert.started"`) + strings.Count(string(body), `"alert.joined"`)
}

// answering are the runs that are not merely joined to another.
func (h *product) answering(t *testing.T) (runs []runRow) {
	t.Helper()
	var all struct{ Items []runRow }
	h.read(t, "/v1/runs", &all)
	for _, r := range all.Items {
		if r.Outcome != incident.OutcomeJoined {
			runs = append(runs, r)
		}
	}
	return runs
}

func (h *product) post(t *testing.T, source, token, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/alerts/"+source, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := client().Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusAccepted {
		t.Errorf("%s was answered %d", source, res.StatusCode)
	}
}

func TestOneKeyFromThreeSourcesWithinASecondIsAnsweredByOneRun(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	h.listenToAlertmanager(t)
	h.start(t)
	h.signIn(t)
	generic, err := os.ReadFile(filepath.Join(h.dir, "secrets", "generic-token"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { h.webhook(t, s.GitHubURL, s.AlertNumber) })
	all.Go(func() {
		h.post(t, "alertmanager", alertToken, fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"Burn","key_provider":"gemini","key_id":%q,"severity":"critical"},`+
			`"startsAt":%q,"endsAt":"0001-01-01T00:00:00Z","fingerprint":"c383b2cae34e85d0"}]}`, s.Key.ID, time.Now().UTC().Format(time.RFC3339Nano)))
	})
	all.Go(func() {
		h.post(t, "generic", strings.TrimSpace(string(generic)), fmt.Sprintf(`{"id":"1","kind":"key.leaked","severity":"high","title":"in a chat","key":{"provider":"gemini","secret":%q}}`, s.Key.Secret()))
	})
	all.Wait()
	var run runRow
	eventually(t, 30*time.Second, func() error {
		runs := h.answering(t)
		if len(runs) != 1 {
			return fmt.Errorf("%d runs answer: %+v", len(runs), runs)
		}
		run = runs[0]
		if n := h.heard(t, run.ID); n != 3 {
			return fmt.Errorf("the timeline of %s holds %d alerts", run.ID, n)
		}
		return nil
	})
	var detail struct {
		Run struct{ Incident string }
	}
	h.read(t, "/v1/runs/"+run.ID, &detail)
	for _, a := range h.alerts(t) {
		if a.Fate.Incident != detail.Run.Incident {
			t.Errorf("the alert of %s belongs to %s, the others to %s", a.Source, a.Fate.Incident, detail.Run.Incident)
		}
	}
	eventually(t, 20*time.Second, func() error {
		if made := tickets(s.World.Entries()); made != 1 {
			return fmt.Errorf("%d tickets were opened", made)
		}
		return nil
	})
}

func tickets(log []sandbox.Entry) (n int) {
	for _, e := range log {
		if e.Service == "github" && e.Method == http.MethodPost && strings.HasSuffix(e.Path, "/issues") && e.Status == http.StatusCreated {
			n++
		}
	}
	return n
}

// TestARealAlertmanagerFiresRepeatsAndResolves needs the Debian packages prometheus and prometheus-alertmanager, which
// test/setup.sh installs: a real rule over a real metric fires through a real Alertmanager.
func TestARealAlertmanagerFiresRepeatsAndResolves(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	h.listenToAlertmanager(t)
	h.start(t)
	h.signIn(t)
	var burn atomic.Int64
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "# TYPE key_usd_per_minute gauge\nkey_usd_per_minute{key_provider=\"gemini\",key_id=%q} %d\n", s.Key.ID, burn.Load())
	}))
	t.Cleanup(metrics.Close)
	manager := monitoring(t, h.url, strings.TrimPrefix(metrics.URL, "http://"))

	burn.Store(28)
	var first received
	eventually(t, 60*time.Second, func() error {
		list := h.alerts(t)
		if len(list) != 1 || list[0].Fate.Status != incident.FateStarted {
			return fmt.Errorf("the alerts are %+v", list)
		}
		first = list[0]
		return nil
	})
	if first.Source != "alertmanager" || first.Kind != incident.KindUsageAnomaly || first.Severity != "critical" || first.Key.ID != s.Key.ID || !strings.Contains(first.Title, "28 USD") {
		t.Errorf("the alert became %+v", first.Alert)
	}
	sent := notified(t, manager)
	eventually(t, 60*time.Second, func() error {
		if now := notified(t, manager); now < sent+2 {
			return fmt.Errorf("Alertmanager notified %d times, %d before", now, sent)
		}
		return nil
	})
	if list := h.alerts(t); len(list) != 1 {
		t.Errorf("its repeats became %d alerts", len(list))
	}

	burn.Store(0)
	eventually(t, 60*time.Second, func() error {
		list := h.alerts(t) // newest first
		if len(list) != 2 || list[0].Kind != incident.KindResolved || list[0].Fate.Status != incident.FateJoined || list[0].Fate.Run != first.Fate.Run {
			return fmt.Errorf("the alerts are %+v", list)
		}
		return nil
	})
	if run, err := h.onlyRun(t); err != nil || h.heard(t, run.ID) != 2 {
		t.Errorf("one run with both alerts is wanted: %+v, %v", run, err)
	}
}

// monitoring runs Prometheus and Alertmanager on loopback, pointed at the metric and at the product.
func monitoring(t *testing.T, product, target string) (manager string) {
	t.Helper()
	dir := t.TempDir()
	manager = freeAddress(t)
	prometheus := freeAddress(t)
	for name, text := range map[string]string{
		"token": alertToken,
		"alertmanager.yml": fmt.Sprintf(`
route: { receiver: tourniquet, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s }
receivers:
  - name: tourniquet
    webhook_configs:
      - { url: "%s/v1/alerts/alertmanager", send_resolved: true, max_alerts: 0, http_config: { authorization: { credentials_file: "%s" } } }
`, product, filepath.Join(dir, "token")),
		"prometheus.yml": fmt.Sprintf(`
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["%s"]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["%s"] }] }] }
scrape_configs: [{ job_name: gateway, static_configs: [{ targets: ["%s"] }] }]
`, filepath.Join(dir, "rules.yml"), manager, target),
		"rules.yml": `
groups:
  - name: keys
    rules:
      - alert: KeyBurns
        expr: key_usd_per_minute > 10
        labels: { severity: critical }
        annotations: { summary: "One key burns {{ $value }} USD a minute" }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	launch(t, installed(t, "prometheus-alertmanager"), nil, "--config.file="+filepath.Join(dir, "alertmanager.yml"), "--storage.path="+filepath.Join(dir, "am"),
		"--web.listen-address="+manager, "--cluster.listen-address=")
	launch(t, installed(t, "prometheus"), nil, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "prom"),
		"--web.listen-address="+prometheus)
	eventually(t, 60*time.Second, func() error {
		for _, address := range []string{manager, prometheus} {
			if code, _, err := look(t.Context(), "http://"+address+"/-/ready"); err != nil || code != http.StatusOK {
				return fmt.Errorf("%s is not ready (%d, %w)", address, code, err)
			}
		}
		return nil
	})
	return manager
}

func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is not installed; test/setup.sh installs it as root on Debian: %v", program, err)
	}
	return path
}

// notified is how many notifications Alertmanager says that its webhook took; a failed one is a fault of ours.
func notified(t *testing.T, manager string) (n int) {
	t.Helper()
	_, body, err := look(t.Context(), "http://"+manager+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(body) {
		var failed float64
		if rest, ok := strings.CutPrefix(line, `alertmanager_notifications_total{integration="webhook"} `); ok {
			_, _ = fmt.Sscan(rest, &n)
		}
		if rest, ok := strings.CutPrefix(line, `alertmanager_notifications_failed_total{integration="webhook"} `); ok {
			if _, _ = fmt.Sscan(rest, &failed); failed > 0 {
				t.Fatalf("%.0f notifications failed", failed)
			}
		}
	}
	return n
}

func look(ctx context.Context, url string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	res, err := client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return res.StatusCode, string(body), err
}
