package rig

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// closeWithin is how long a process may take to close, its drain included.
const closeWithin = time.Minute

// Serve is `tourniquet serve` in a folder that holds tourniquet.yaml.
type Serve struct {
	Binary, Dir, URL string
	Env              []string // beside our own environment

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	said int64 // how much the log held when the process was started
}

func (s *Serve) config() string { return filepath.Join(s.Dir, "tourniquet.yaml") }

// Start runs serve until it answers. Env is read anew at each start.
func (s *Serve) Start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.Dir, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the child has its own handle
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	cmd := exec.Command(s.Binary, "serve", "--config", s.config()) //nolint:noctx,gosec // our own program; ends with Kill
	cmd.Env = append(append(os.Environ(), "TOURNIQUET_LOG=warn"), s.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	s.mu.Lock()
	s.cmd, s.done, s.said = cmd, done, before
	s.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if Answers(ctx, s.URL+"/healthz") {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("%w with %s; %w", ErrEnded, cmd.ProcessState, s.LastWords())
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// ErrEnded says that serve was gone before it answered.
var ErrEnded = errors.New("serve ended before it answered")

// Answers tells whether an address says 200.
func Answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Done is closed when the process that was started last is gone.
func (s *Serve) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// Signal stops the process or lets it go on (SIGSTOP, SIGCONT).
func (s *Serve) Signal(sig os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Signal(sig)
}

// Pid of the process that was started last.
func (s *Serve) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

// Kill gives serve no chance to tidy up.
func (s *Serve) Kill() {
	s.mu.Lock()
	cmd, done := s.cmd, s.done
	s.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Kill() // gone already is as good
		<-done
	}
}

// Close asks serve to close, as a supervisor does, and waits until it has.
func (s *Serve) Close(ctx context.Context) error {
	if err := s.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.Done():
		return nil
	case <-time.After(closeWithin):
		return fmt.Errorf("serve does not close within %s; %w", closeWithin, s.LastWords())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Command runs one command of the product in the folder and returns what it printed.
func (s *Serve) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.Binary, append([]string{"--config", s.config()}, args...)...) //nolint:gosec // our own program
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("tourniquet %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(talk.String()))
	}
	return string(out), err
}

// Token makes a personal token with which ana reads.
func (s *Serve) Token(ctx context.Context) (string, error) {
	out, err := s.Command(ctx, "person", "token", "--for", "ana", "--issued-by", "lee")
	if err == nil && strings.TrimSpace(out) == "" {
		err = errors.New("no personal token was made")
	}
	return strings.TrimSpace(out), err
}

// LastWords is the end of what the process said in its last life, newest first and on one line: who reads the log of a test run
// often sees the first line of an error only.
func (s *Serve) LastWords() error {
	s.mu.Lock()
	before := s.said
	s.mu.Unlock()
	body, err := os.ReadFile(filepath.Join(s.Dir, "serve.log"))
	if err != nil || int64(len(body)) <= before {
		return errors.New("serve said nothing")
	}
	lines := strings.Split(strings.TrimSpace(string(body[before:])), "\n")
	lines = lines[max(0, len(lines)-10):]
	slices.Reverse(lines)
	return fmt.Errorf("serve said at last: %s", strings.Join(lines, " | "))
}

// Random is a secret of this run.
func Random() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}
