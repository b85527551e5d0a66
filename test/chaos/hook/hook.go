package hook

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.temporal.io/sdk/activity"
)

// What the process is told by its environment.
const (
	TraceVar = "CHAOS_TRACE" // file that gets a line for every transition
	KillVar  = "CHAOS_KILL"  // phase, a space, and the class of transition at which the process dies
	CountVar = "CHAOS_COUNT" // at how manieth of them; 1 when empty
	ClockVar = "CHAOS_CLOCK" // file with nanoseconds that the product's clock is ahead
)

// The two phases of a transition.
const (
	Before = "before"
	After  = "after"
)

// state is what one process has been told and has seen.
type state struct {
	trace *os.File
	kill  string
	left  atomic.Int64
	ahead atomic.Int64
}

var the = sync.OnceValue(func() *state {
	s := &state{kill: os.Getenv(KillVar)}
	n, err := strconv.ParseInt(os.Getenv(CountVar), 10, 64)
	if err != nil || n < 1 {
		n = 1
	}
	s.left.Store(n)
	if path := os.Getenv(TraceVar); path != "" {
		if s.trace, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			panic(err) // a process without its trace proves nothing
		}
	}
	if path := os.Getenv(ClockVar); path != "" {
		go s.follow(path)
	}
	return s
})

// Install is called first by the product's main.
func Install() {
	the()
	signal.Ignore(syscall.SIGXFSZ) // a file that may not grow is a full disk, not the end
	http.DefaultTransport = transport{http.DefaultTransport}
}

// follow keeps to the clock that the test sets.
func (s *state) follow(path string) {
	for {
		if raw, err := os.ReadFile(path); err == nil { //nolint:gosec // the test's own file
			if n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64); err == nil {
				s.ahead.Store(n)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Now is the product's clock.
func Now() time.Time { return time.Now().Add(time.Duration(the().ahead.Load())) }

var (
	incident = regexp.MustCompile(`(?:run|inc)-([0-9a-z]{20,})`)
	quoted   = regexp.MustCompile(`"[^"]*"|[0-9]+`)
)

// Whose is the incident that a text names, which is also the middle of its run's id; "" for none.
func Whose(text string) string {
	if m := incident.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// At is called at a transition: kind and what say which, and what may name a run. The rest of the class is what stays when
// names and numbers are taken off.
func At(ctx context.Context, phase, kind, what string) {
	s := the()
	if s.trace == nil && s.kill == "" {
		return
	}
	who := Whose(what)
	if who == "" && activity.IsActivity(ctx) {
		who = Whose(activity.GetInfo(ctx).WorkflowExecution.ID)
	}
	s.at(phase, kind+" "+Class(what), who, what)
}

// Class is what a transition has in common with others of its kind.
func Class(what string) string { return quoted.ReplaceAllString(what, "*") }

func (s *state) at(phase, class, who, what string) {
	mark := phase + " " + class
	if s.trace != nil {
		line := fmt.Sprintf("%d\t%s\t%s\t%s\t%s\n", time.Now().UnixMicro(), who, phase, class, strings.Map(plain, what))
		_, _ = s.trace.WriteString(line) // one write, which the kernel keeps when we die
	}
	if s.kill != mark {
		return
	}
	if s.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func plain(r rune) rune {
	if r == '\t' || r == '\n' {
		return ' '
	}
	return r
}
