package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// workshop holds what is built once and used by every test.
type workshop struct {
	dir      string
	turns    chan struct{}
	honest   func() (string, error)
	tampered func() (string, error)
	judge    func() (string, error)
	storm    func() (string, error)
}

var shop *workshop

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tourniquet-e2e-")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shop = openShop(dir)
	code := m.Run()
	_ = os.RemoveAll(dir) // a leftover in the temporary directory is no failure
	os.Exit(code)
}

func openShop(dir string) *workshop {
	w := &workshop{dir: dir, turns: make(chan struct{}, 2)}
	w.honest = sync.OnceValues(func() (string, error) { return w.build("tourniquet", "../../cmd/tourniquet") })
	w.judge = sync.OnceValues(func() (string, error) { return w.build("judge", "../judge") })
	w.storm = sync.OnceValues(func() (string, error) { return w.build("storm", "../storm") })
	w.tampered = sync.OnceValues(func() (string, error) {
		overlay, err := w.overlay()
		if err != nil {
			return "", err
		}
		return w.build("tampered", "../../cmd/tourniquet", "-overlay", overlay)
	})
	return w
}

func (w *workshop) build(name, pkg string, flags ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out := filepath.Join(w.dir, name)
	args := append([]string{"build", "-ldflags=-s -w", "-o", out}, flags...)
	text, err := exec.CommandContext(ctx, "go", append(args, pkg)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s does not build: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// built is the path of a program, or the end of the test.
func built(t *testing.T, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// turn waits until fewer than two other tests run a product.
func turn(t *testing.T) {
	t.Helper()
	shop.turns <- struct{}{}
	t.Cleanup(func() { <-shop.turns })
}

// The variables that make a tampered build misbehave; without them it behaves.
const (
	killAt   = "E2E_KILL_AT"   // point:action at which the process kills itself
	killWhen = "E2E_KILL_WHEN" // how many calls must stand at that point; those that came earlier wait there
	killMark = "E2E_KILL_MARK" // file that is made when it does, so that it does so once
	unsafely = "E2E_UNSAFE"    // comma-separated: ask (nobody is waited for), verify (the action verifies nothing)
)

// tamper is one change of a source text.
type tamper struct{ file, find, put string }

var tampers = []tamper{
	{"internal/intake/door.go", "d.o.Store.StoreAlerts(ctx, finding, list)", "e2eStore(ctx, d.o.Store, finding, list)"},
	{"activities/grant.go", "\treturn h.send(ctx, a, in, e, row)\n", "\te2eKillAt(\"after-intent:\" + a.Card.Name)\n\treturn h.send(ctx, a, in, e, row)\n"},
	{
		"activities/grant.go", "\tif err != nil {\n\t\treturn wire.Result{}, h.failCall(ctx, row.ID, err)\n\t}\n\treturn res, h.finishCall(ctx, row.ID, res)\n",
		"\tif err != nil {\n\t\treturn wire.Result{}, h.failCall(ctx, row.ID, err)\n\t}\n\te2eKillAt(\"before-receipt:\" + a.Card.Name)\n\treturn res, h.finishCall(ctx, row.ID, res)\n",
	},
	{
		"activities/grant.go", "\tif err := h.verify(ctx, a, in, e, rows, sent); err != nil {\n",
		"\tif err := h.verify(ctx, a, in, e, rows, sent); err != nil && !e2eUnsafe(\"verify\") {\n",
	},
	{
		"workflows/signed.go", "\t\tr.await(ctx, req, so)\n",
		"\t\tif e2eUnsafe(\"ask\") {\n\t\t\treq.state, req.quorumAt = signoff.StateQuorum, workflow.Now(ctx)\n\t\t} else {\n\t\t\tr.await(ctx, req, so)\n\t\t}\n",
	},
}

// hastyHelper answers before it stores, in the first process that finds no mark; those that come after it are honest.
const hastyHelper = `package intake

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var e2eNumber atomic.Int64

var e2eIsHasty = sync.OnceValue(func() bool {
	if os.Getenv("` + unsafely + `") != "hasty" {
		return false
	}
	f, err := os.OpenFile(os.Getenv("` + killMark + `"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	return f.Close() == nil
})

func e2eStore(ctx context.Context, s Store, f incident.Finding, list []database.Incoming) ([]database.Stored, error) {
	if !e2eIsHasty() {
		return s.StoreAlerts(ctx, f, list)
	}
	var out []database.Stored
	for i := range list {
		list[i].Alert.ID = fmt.Sprintf("al-hasty-%d", e2eNumber.Add(1))
		out = append(out, database.Stored{AlertID: list[i].Alert.ID})
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		_, _ = s.StoreAlerts(context.WithoutCancel(ctx), f, list)
	}()
	return out, nil
}
`

const unsafeHelper = `

func e2eUnsafe(what string) bool { return strings.Contains(","+os.Getenv("` + unsafely + `")+",", ","+what+",") }
`

const killHelper = `

var e2eArrived atomic.Int64

func e2eKillAt(point string) {
	if os.Getenv("` + killAt + `") != point {
		return
	}
	if _, err := os.Stat(os.Getenv("` + killMark + `")); err == nil {
		return
	}
	if strconv.FormatInt(e2eArrived.Add(1), 10) != os.Getenv("` + killWhen + `") {
		select {}
	}
	f, err := os.OpenFile(os.Getenv("` + killMark + `"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_ = f.Close()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
`

// overlay writes changed copies of sources and the file with which go build takes them instead.
func (w *workshop) overlay() (string, error) {
	top, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	texts := map[string]string{
		"activities/e2e_fault.go":      "package activities\n\nimport (\n\t\"os\"\n\t\"strconv\"\n\t\"strings\"\n\t\"sync/atomic\"\n\t\"syscall\"\n)" + unsafeHelper + killHelper,
		"internal/intake/e2e_fault.go": hastyHelper,
		"workflows/e2e_fault.go":       "package workflows\n\nimport (\n\t\"os\"\n\t\"strings\"\n)" + unsafeHelper,
	}
	for _, c := range tampers {
		text, ok := texts[c.file]
		if !ok {
			raw, err := os.ReadFile(filepath.Join(top, c.file))
			if err != nil {
				return "", err
			}
			text = string(raw)
		}
		if strings.Count(text, c.find) != 1 {
			return "", fmt.Errorf("%s has %d lines %q, one is needed: the test must follow the code", c.file, strings.Count(text, c.find), strings.TrimSpace(c.find))
		}
		texts[c.file] = strings.Replace(text, c.find, c.put, 1)
	}
	replace := map[string]string{}
	for name, text := range texts {
		at := filepath.Join(w.dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(top, name)] = at
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	path := filepath.Join(w.dir, "overlay.json")
	return path, errors.Join(err, os.WriteFile(path, raw, 0o600))
}
