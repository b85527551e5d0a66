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

// A sample is testdata/<source>/<name>.json; for GitHub the event stands before "--" in the name.
func sample(t testing.TB, source, file string) sources.Request {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer never-kept"}, "User-Agent": {"test"}}
	if source == "github" {
		event, _, _ := strings.Cut(filepath.Base(file), "--")
		h.Set("X-GitHub-Event", event)
		h.Set("X-GitHub-Delivery", "6f1c2f5e-0000-4000-8000-000000000001")
	}
	return sources.Request{Headers: h, Body: body, At: arrival}
}

func every() []sources.Source { return []sources.Source{sources.NewGeneric(), sources.NewGitHub()} }

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

// shown prints a result; the secret as its length only.
func shown(d sources.Decoded, err error) []byte {
	view := map[string]any{}
	switch {
	case err != nil:
		view["refused"] = err.Error()
	case d.Ping || d.Ignored != "":
		view["ping"], view["ignored"] = d.Ping, d.Ignored
	default:
		view["alert"], view["headers"], view["fetch_link"], view["secret_bytes"] = d.Alert, d.Headers, d.FetchLink, len(d.Secret)
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
		h := http.Header{"X-Github-Event": {"secret_scanning_alert"}}
		d, err := s.Decode(context.Background(), sources.Request{Headers: h, Body: c.Example, At: arrival})
		if err != nil || d.Alert.Kind == "" || d.Alert.Fingerprint == "" {
			t.Errorf("the example of %q: %+v, %v", s.Name(), d, err)
		}
	}
}
