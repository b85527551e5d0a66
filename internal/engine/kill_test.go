//go:build !slim

package engine

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// childDir in the environment makes the test binary a process that parks a run in that directory and waits to be killed.
const childDir = "TOURNIQUET_TEST_CHILD_DIR"

func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return // this is the body of the process that TestAParkedRunTakesADecisionSoonAfterKill9 kills
	}
	e := start(t, t.Context(), testConfig(t, dir))
	startWorker(t, e)
	if err := park(t.Context(), e, "waiting"); err != nil {
		t.Fatal(err)
	}
	status, _ := os.ReadFile("/proc/self/status")
	rss := "unknown"
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS:") {
			rss = strings.Join(strings.Fields(line)[1:], " ")
		}
	}
	_, _ = fmt.Fprintf(os.Stdout, "parked, resident memory %s\n", rss)
	<-t.Context().Done() // until killed
}

func TestAParkedRunTakesADecisionSoonAfterKill9(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	killWhenParked(t, dir)
	e := start(t, t.Context(), testConfig(t, dir))
	since := time.Now()
	w := startWorker(t, e)
	decide(t, t.Context(), e, since)
	stop(t, w, e)
}

func killWhenParked(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$") //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	parked := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		t.Logf("child: %s", lines.Text())
		if parked = strings.HasPrefix(lines.Text(), "parked"); parked {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if !parked {
		t.Fatal("the child parked no run")
	}
}

func TestATakenPortCostsOneMoreTryAndNotTheProcess(t *testing.T) {
	t.Parallel()
	squatter, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = squatter.Close() }()
	taken := squatter.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a TCP listener
	clashes := 0
	cfg := testConfig(t, t.TempDir())
	always := false
	cfg.choosePorts = func() (*ports, error) {
		p, err := choosePorts()
		if err == nil && (always || clashes == 0) {
			clashes++
			p.history = taken
		}
		return p, err
	}
	e := start(t, t.Context(), cfg)
	if clashes != 1 {
		t.Errorf("%d clashes, want 1", clashes)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	always = true
	cfg.DataDir = t.TempDir()
	if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a port that stays taken gives %v", err)
	}
	lock, err := LockDir(cfg.DataDir)
	if err != nil {
		t.Fatalf("the refused start kept the directory: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}
