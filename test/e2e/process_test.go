package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tick is how often a test looks whether what it waits for has happened.
const tick = 20 * time.Millisecond

// eventually waits until look succeeds; its last error says what was missing.
func eventually(t *testing.T, within time.Duration, look func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	beat := time.NewTicker(tick)
	defer beat.Stop()
	for {
		err := look()
		if err == nil {
			return
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			t.Fatalf("after %s: %v", within, err)
		}
	}
}

// talk is what a process wrote, readable while it runs.
type talk struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen map[string]time.Time // when a line that holds this came, for words that somebody waits for
}

func (k *talk) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.text.Write(p)
	for words, at := range k.seen {
		if at.IsZero() && bytes.Contains(k.text.Bytes(), []byte(words)) {
			k.seen[words] = time.Now()
		}
	}
	return len(p), nil
}

func (k *talk) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.String()
}

func (k *talk) when(words string) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen[words]
}

// process is a child of the test.
type process struct {
	cmd      *exec.Cmd
	out, err *talk
	done     chan struct{}
	failure  error // after done
}

const readyWords = "tourniquet is ready at"

// launch starts a program; it ends with the test at the latest.
func launch(t *testing.T, program string, env []string, args ...string) *process {
	t.Helper()
	p := &process{out: &talk{}, err: &talk{seen: map[string]time.Time{readyWords: {}}}, done: make(chan struct{})}
	p.cmd = exec.Command(program, args...) //nolint:gosec // a program that this test built
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.failure = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill9()
		if t.Failed() {
			t.Logf("%s said:\n%s", strings.Join(args, " "), p.err)
		}
	})
	return p
}

// ended reports whether the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill9 gives the process no chance to tidy up.
func (p *process) kill9() {
	_ = p.cmd.Process.Kill() // gone already is as good
	<-p.done
}

// end asks the process to close and waits until it did.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t, 30*time.Second)
	if p.failure != nil {
		t.Fatalf("it closed with %v:\n%s", p.failure, p.err)
	}
}

// wait until the process has ended by itself.
func (p *process) wait(t *testing.T, within time.Duration) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		t.Fatalf("still running after %s:\n%s", within, p.err)
	}
}

// ready waits for serve's own word and says when it came.
func (p *process) ready(t *testing.T) time.Time {
	t.Helper()
	eventually(t, 30*time.Second, func() error {
		switch {
		case !p.err.when(readyWords).IsZero():
			return nil
		case p.ended():
			return fmt.Errorf("serve ended: %w", p.failure)
		}
		return fmt.Errorf("serve does not say that it is ready")
	})
	return p.err.when(readyWords)
}
