package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// side is one of the two processes that are compared.
type side struct {
	name string
	url  string
	log  string // path of what it said
	cmd  *exec.Cmd
	done chan error
	http *http.Client
	send func(ctx context.Context, key string) (*http.Request, error)

	config string // path; of the product only
}

// open starts the process and waits until url answers 200.
func (s *side) open(ctx context.Context, ready string) error {
	f, err := os.OpenFile(s.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // the child has its own handle
	s.cmd.Stdout, s.cmd.Stderr = f, f
	s.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("%s cannot be started: %w", s.name, err)
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.answers(ctx, s.url+ready) {
			return nil
		}
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("%s ended before it was ready: %w\n%s", s.name, err, s.lastWords())
		case <-ctx.Done():
			s.stop()
			return fmt.Errorf("%s was not ready within a minute:\n%s", s.name, s.lastWords())
		case <-tick.C:
		}
	}
}

func (s *side) answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := s.http.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// alert sends one alert; anything but 202 is a fault.
func (s *side) alert(ctx context.Context, key string) error {
	req, err := s.send(ctx, key)
	if err != nil {
		return err
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err == nil && res.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("an alert was answered %d: %s", res.StatusCode, bytes.TrimSpace(body))
	}
	return err
}

// stop asks the process to end and waits for it.
func (s *side) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-s.done: //nolint:errcheck // how it ended does not matter any more
	case <-time.After(40 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done //nolint:errcheck // it was told to end
	}
	s.done <- nil
}

// again starts the process anew after it was killed without a chance to tidy up, and tells how long it took to be ready.
func (s *side) again(ctx context.Context, ready string) (time.Duration, error) {
	_ = s.cmd.Process.Kill() // gone already is as good
	<-s.done                 //nolint:errcheck // it was killed
	old := s.cmd
	s.cmd = exec.Command(old.Path, old.Args[1:]...) //nolint:noctx,gosec // the program that ran before; ends with stop
	s.cmd.Env = old.Env
	began := time.Now()
	err := s.open(ctx, ready)
	return time.Since(began), err
}

// lastWords is the end of what the process said.
func (s *side) lastWords() string {
	body, err := os.ReadFile(s.log)
	if err != nil || len(body) == 0 {
		return ""
	}
	return s.name + " said at last: " + string(body[max(0, len(body)-2000):])
}

// idle is what a serve without work takes.
type idle struct {
	MiB        float64 `json:"mib"`
	CPUPercent float64 `json:"cpu_percent"` // of one core
}

// idle reads the kernel's figures twice; nil where there are none (only Linux has /proc).
func (s *side) idle(ctx context.Context, d time.Duration) (*idle, error) {
	wait := func(d time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("%s ended while it was idle: %w", s.name, err)
		case <-time.After(d):
			return nil
		}
	}
	if err := wait(2 * time.Second); err != nil { // its start is not idleness
		return nil, err
	}
	before, ok := s.cpuTime()
	if !ok {
		return nil, nil
	}
	if err := wait(d); err != nil {
		return nil, err
	}
	after, _ := s.cpuTime()
	return &idle{MiB: s.residentMiB(), CPUPercent: 100 * (after - before).Seconds() / d.Seconds()}, nil
}

// cpuTime is user and system time so far; the kernel counts in hundredths of a second.
func (s *side) cpuTime() (time.Duration, bool) {
	return cpuTime(s.cmd.Process.Pid)
}

func cpuTime(pid int) (time.Duration, bool) {
	body, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(body), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, false
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err1 == nil && err2 == nil
}

// residentMiB is the memory the process holds; 0 where the kernel does not say.
func (s *side) residentMiB() float64 {
	body, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(body), "VmRSS:")
	kib := 0
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return float64(kib) / 1024
}
