package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// staged is a configuration that points at a sandbox of its own.
func staged(t *testing.T) (string, *sandbox.Stage) {
	t.Helper()
	stage, err := sandbox.NewStage(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stage.Close() })
	listen, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	path, err := stage.Write(t.TempDir(), listen)
	if err != nil {
		t.Fatal(err)
	}
	return path, stage
}

// examined runs doctor and sorts what it found by check.
func examined(t *testing.T, config string, env map[string]string, more ...string) (ran, map[string]finding) {
	t.Helper()
	all := map[string]string{"TOURNIQUET_CONFIG": config}
	for k, v := range env {
		all[k] = v
	}
	r := command(t, all, append([]string{"doctor", "-o", "json"}, more...)...)
	var list []finding
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatalf("%v: %s%s", err, r.out, r.talk)
	}
	found := map[string]finding{}
	for _, f := range list {
		if f.Status != foundOK && f.Status != foundNote && f.Status != foundFault {
			t.Errorf("%q is no status", f.Status)
		}
		found[f.Check] = f
	}
	return r, found
}

func TestDoctorFindsNothingWrongWithAGoodInstallation(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	r, found := examined(t, path, nil)
	if r.code != exitGood {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	for _, check := range []string{"configuration", "secrets", "source github", "key ring", "data directory", "listen", "workflow engine", "slack",
		"github", "gemini demo", "group secops", "group secops_lead", "policy", "playbooks", "inventory", "clock"} {
		if found[check].Status == "" {
			t.Errorf("%q was not checked", check)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "data")); err == nil {
		t.Error("doctor made the data directory; that is for the first start")
	}
}

// spoil changes the text of a configuration.
func spoil(t *testing.T, path, old, now string) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(body), old) {
		t.Fatalf("%q is not in the configuration (%v)", old, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(body), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorAsksARunningServeAndLeavesItsDatabaseAlone(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	lock, err := engine.LockDir(filepath.Join(filepath.Dir(path), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Release() })
	ready := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" && r.URL.Path != "/metrics" {
			t.Errorf("doctor asked for %s", r.URL.Path)
		}
		w.WriteHeader(ready)
	}))
	t.Cleanup(srv.Close)
	r, found := examined(t, path, map[string]string{"TOURNIQUET_SERVER": srv.URL})
	if r.code != exitGood || found["running serve"].Status != foundOK || found["database"].Status != "" {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	ready = http.StatusServiceUnavailable
	r, found = examined(t, path, map[string]string{"TOURNIQUET_SERVER": srv.URL})
	if r.code != exitFailed || found["running serve"].Status != foundFault {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
}

func TestDoctorFindsAClockThatIsOff(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat))
	}))
	t.Cleanup(srv.Close)
	path, _ := staged(t)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(body), "github:\n  base_url: ")
	old, _, _ := strings.Cut(rest, "\n")
	spoil(t, path, old, srv.URL+"/")
	if _, found := examined(t, path, nil); found["clock"].Status != foundFault || !strings.Contains(found["clock"].Detail, "10m") {
		t.Errorf("%+v", found["clock"])
	}
}
