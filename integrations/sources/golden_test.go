package sources_test

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

var update = flag.Bool("update", false, "write the golden outputs anew")

var arrival = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A sample is testdata/<source>/<name>.json, with <name>.headers beside it where headers matter; for GitHub the event stands
// before "--" in the name.
func sample(t testing.TB, source, file string) sources.Request {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer never-kept"}, "User-Agent": {"test"}}
	if more, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".headers"); err == nil {
		for line := range strings.Lines(string(more)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			h.Set(name, value)
		}
	}
	if source == "github" {
		event, _, _ := strings.Cut(filepath.Base(file), "--")
		h.Set("X-GitHub-Event", event)
		h.Set("X-GitHub-Delivery", "6f1c2f5e-0000-4000-8000-000000000001")
	}
	return sources.Request{Headers: h, Body: body, At: arrival}
}

func every() []sources.Source {
	return []sources.Source{
		sources.NewGeneric(), sources.NewGitHub(), sources.NewAlertmanager(), sources.NewGrafana(), sources.NewCloudEvents(), sources.NewAWS(),
		sources.NewGCP(), sources.NewGitGuardian(), sources.NewTruffleHog(), sources.NewGitleaks(),
	}
}

func TestEverySampleDecodesAsItsGoldenOutputSays(t *testing.T) {
	t.Parallel()
	for _, s := range every() {
		files, err := filepath.Glob(filepath.Join("testdata", s.Name(), "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("source %q has no samples: %v", s.Name(), err)
		}
		for _, file := range files {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				golden(t, strings.TrimSuffix(file, ".json")+".out", shown(s.Decode(context.Background(), sample(t, s.Name(), file))))
			})
		}
	}
}

// shown prints a result; values as their lengths only.
func shown(d sources.Delivery, err error) []byte {
	view := map[string]any{}
	switch {
	case err != nil:
		view["refused"] = err.Error()
	case d.Ping || d.Ignored != "" || d.Confirm != "":
		view["ping"], view["ignored"], view["confirm"] = d.Ping, d.Ignored, d.Confirm
	default:
		var findings []any
		for _, f := range d.Findings {
			also := []int{}
			for _, s := range f.Also {
				also = append(also, len(s))
			}
			findings = append(findings, map[string]any{
				"alert": f.Alert, "fetch_link": f.FetchLink, "secret_bytes": len(f.Secret), "also_bytes": also, "thread": f.Thread,
			})
		}
		view["findings"], view["headers"] = findings, d.Headers
	}
	out, err := json.MarshalIndent(view, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(out, '\n')
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s differs:\n%s", file, got)
	}
	if strings.Contains(string(got), "never-kept") {
		t.Errorf("%s keeps a credential header", file)
	}
}

func TestEveryCardHasAnExampleThatItsSourceTakes(t *testing.T) {
	t.Parallel()
	for _, s := range every() {
		c := s.Describe()
		if c.Name != s.Name() || c.Path != "/v1/alerts/"+s.Name() || c.Summary == "" || c.Auth == "" || len(c.SetUp) == 0 {
			t.Errorf("card of %q: %+v", s.Name(), c)
		}
		h := http.Header{"X-Github-Event": {"secret_scanning_alert"}, "Content-Type": {c.Media[0]}}
		d, err := s.Decode(context.Background(), sources.Request{Headers: h, Body: c.Example, At: arrival})
		if err != nil || len(d.Findings) != 1 || d.Findings[0].Alert.Kind == "" || d.Findings[0].Alert.Fingerprint == "" {
			t.Errorf("the example of %q: %+v, %v", s.Name(), d, err)
		}
	}
}
