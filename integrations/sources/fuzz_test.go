package sources_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

// seed adds every sample of a source, so that the fuzzer begins with what the decoder understands.
func seed(f *testing.F, s sources.Source, label string) {
	f.Add(label, []byte(s.Describe().Example))
	files, err := filepath.Glob(filepath.Join("testdata", s.Name(), "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples of %q: %v", s.Name(), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(label, body)
	}
}

// fuzz feeds a decoder; the text stands where the format has a header that decides.
func fuzz(f *testing.F, s sources.Source, label string) {
	seed(f, s, label)
	f.Fuzz(func(t *testing.T, label string, body []byte) { sane(t, s, label, body) })
}

func FuzzGeneric(f *testing.F)      { fuzz(f, sources.NewGeneric(), "") }
func FuzzGitHub(f *testing.F)       { fuzz(f, sources.NewGitHub(), "secret_scanning_alert") }
func FuzzAlertmanager(f *testing.F) { fuzz(f, sources.NewAlertmanager(), "") }
func FuzzGrafana(f *testing.F)      { fuzz(f, sources.NewGrafana(), "") }
func FuzzAWS(f *testing.F)          { fuzz(f, sources.NewAWS(), "") }
func FuzzGCP(f *testing.F)          { fuzz(f, sources.NewGCP(), "") }
func FuzzGitGuardian(f *testing.F)  { fuzz(f, sources.NewGitGuardian(), "") }
func FuzzTruffleHog(f *testing.F)   { fuzz(f, sources.NewTruffleHog(), "") }
func FuzzGitleaks(f *testing.F)     { fuzz(f, sources.NewGitleaks(), "") }

func FuzzCloudEvents(f *testing.F) {
	seed(f, sources.NewCloudEvents(), "application/cloudevents-batch+json")
	fuzz(f, sources.NewCloudEvents(), "application/cloudevents+json")
}

func sane(t *testing.T, s sources.Source, label string, body []byte) {
	h := http.Header{"X-Github-Event": {label}, "Content-Type": {label}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"s"}, "Ce-Type": {label}}
	d, err := s.Decode(context.Background(), sources.Request{Headers: h, Body: body, At: arrival})
	var refused *sources.RefusedError
	if err != nil {
		if !errors.As(err, &refused) || refused.Reason == "" {
			t.Fatalf("the error has no status: %v", err)
		}
		return
	}
	if d.Ping || d.Ignored != "" || d.Confirm != "" {
		return
	}
	if len(d.Findings) == 0 || len(d.Findings) > sources.MaxFindings+1 {
		t.Fatalf("%d findings", len(d.Findings))
	}
	for _, f := range d.Findings {
		a := f.Alert
		out, err := json.Marshal(a)
		if err != nil || !utf8.Valid(out) || a.Fingerprint == "" || a.ObservedAt.After(arrival) || !slices.Contains(s.Describe().Kinds, a.Kind) {
			t.Fatalf("a senseless alert: %s, %v", out, err)
		}
		if !slices.Contains([]string{"low", "medium", "high", "critical"}, a.Severity) || len(a.Links) > 10 || len(a.Title) > 1300 {
			t.Fatalf("an alert out of bounds: %s", out)
		}
		if a.ID != "" || a.Trust != "" || a.Source != "" || a.Key.SecretHash != "" {
			t.Fatal("the decoder sets what only the door may set")
		}
		if n := len(f.Secret); n > 0 && (n < 8 || n > 8192) {
			t.Fatalf("a secret of %d bytes", n)
		}
	}
}
