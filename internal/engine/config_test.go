//go:build !slim

package engine

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/server/common/log/tag"
)

func TestAnUnusableConfigIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noPEM := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(noPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Config){
		"failure converter that encrypt": func(c *Config) { c.FailureConverter = nil },
		"needs a data converter":         func(c *Config) { c.DataConverter = nil },
		"needs a data directory":         func(c *Config) { c.DataDir = "" },
		"for a day or longer, not 1h":    func(c *Config) { c.Retention = time.Hour },
		"needs both files":               func(c *Config) { c.External = &External{TLS: &TLSFiles{Cert: "cert.pem"}} },
		"holds no PEM certificate":       func(c *Config) { c.External = &External{TLS: &TLSFiles{CA: noPEM}} },
		"loading the client certificate": func(c *Config) { c.External = &External{TLS: &TLSFiles{Cert: noPEM, Key: noPEM}} },
	} {
		cfg := testConfig(t, t.TempDir())
		change(&cfg)
		if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want a sentence with %q", err, says)
		}
	}
}

func TestAnExternalClusterIsUsedAndItsNamespaceMustExist(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t, filepath.Join(t.TempDir(), "a dir? with #odd% letters"))
	e := start(t, t.Context(), cfg)
	defer func() { _ = e.Close() }()

	if info, err := os.Stat(filepath.Join(cfg.DataDir, "temporal.db")); err != nil || info.Size() == 0 {
		t.Errorf("the database is not where it should be: %v", err)
	}
	cfg.External = &External{Address: e.server.address, Namespace: defaultNamespace}
	outer, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := outer.answers(t.Context()); err != nil || outer.Namespace() != defaultNamespace {
		t.Errorf("namespace %q, %v", outer.Namespace(), err)
	}
	if err := outer.Close(); err != nil {
		t.Error(err)
	}
	cfg.External.Namespace = "elsewhere"
	if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "namespace create --retention 30d --namespace elsewhere") {
		t.Errorf("a missing namespace gives %v", err)
	}
	if err := e.answers(t.Context()); err != nil {
		t.Errorf("closing a client of the server closed the server: %v", err)
	}
}

func TestADirectoryHasOneUserAtATime(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	first, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	if _, err := LockDir(dir); err == nil || !strings.Contains(err.Error(), "another tourniquet (pid ") {
		t.Errorf("the second lock gives %v", err)
	}
	for range 2 {
		if err := first.Release(); err != nil {
			t.Error(err)
		}
	}
	second, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
}

func TestOnlyErrorsOfTheServerAreHeardAndNoneWhileMuted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := serverLogger{out: slog.New(slog.NewTextHandler(&out, nil)), muted: &atomic.Bool{}}
	log.Debug("chatter")
	log.Info("chatter")
	log.Warn("chatter")
	log.With(tag.Address("here")).Error("trouble")
	log.muted.Store(true)
	log.With(tag.Address("here")).Error("chatter")
	if s := out.String(); strings.Contains(s, "chatter") || !strings.Contains(s, "workflow engine: trouble") || !strings.Contains(s, "address=here") {
		t.Errorf("heard %q", s)
	}
}
