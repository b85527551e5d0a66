package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cut is one change of a source text: find stands in it, as often as times says (0: once), and is put in another way.
type cut struct {
	file, find, put string
	times           int
}

// hooks put package hook wherever the product makes something durable, and give it a clock of its own.
func hooks() []cut {
	return []cut{
		{file: "cmd/tourniquet/main.go", find: "func main() {\n", put: "func main() {\n\thook.Install()\n"},
		{file: "cmd/tourniquet/doors.go", find: "Now: time.Now", put: "Now: hook.Now", times: 3},
		{file: "cmd/tourniquet/rooms.go", find: "Log: p.Settings.Log, Now: time.Now,", put: "Log: p.Settings.Log, Now: hook.Now,"},
		{file: "internal/database/open.go", find: "now: time.Now", put: "now: hook.Now"},
		{file: "internal/database/postgres.go", find: "now: time.Now", put: "now: hook.Now"},
		{file: "internal/database/open.go", find: "fn func(ctx context.Context, tx *txn) error) error {\n\tc := &change{do: fn, ", put: `fn func(ctx context.Context, tx *txn) error) (failed error) {
	inside := func(own context.Context, tx *txn) error {
		err := fn(own, tx)
		if err == nil {
			hook.At(ctx, hook.Before, "db", what)
		}
		return err
	}
	defer func() {
		if failed == nil {
			hook.At(ctx, hook.After, "db", what)
		}
	}()
	c := &change{do: inside, `},
		{file: "internal/database/alerts.go", find: "\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn out, nil\n}\n\n// storeFinding", put: `	if err != nil {
		return nil, err
	}
	for _, one := range out {
		hook.At(ctx, hook.After, "db", fmt.Sprintf("alert of %q", one.IncidentID))
	}
	return out, nil
}

// storeFinding`},
		{file: "internal/engine/engine.go", find: "\t\tHostPort:         hostPort,\n", put: "\t\tHostPort:         hostPort,\n\t\tConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{hook.Dial()}},\n"},
	}
}

// The deliberate faults, and the cuts that make them.
const (
	hasty    = "202 before storing"
	boastful = "receipt before the call"
)

func mutants() map[string][]cut {
	return map[string][]cut{
		hasty: {{file: "internal/intake/door.go", find: "d.o.Store.StoreAlerts(ctx, finding, list)", put: "chaosHasty(ctx, d.o.Store, finding, list)"}},
		boastful: {{file: "activities/grant.go", find: "\tvar res wire.Result\n\tvar err error\n\tif p, _ := signedCall(in);",
			put: "\tif a.Card.Effect == signoff.EffectFinal {\n\t\tearly := wire.Result{Outputs: map[string]any{\"summary\": \"done\"}, Summary: \"done\"}\n\t\tif err := h.finishCall(ctx, row.ID, early); err != nil {\n\t\t\treturn early, err\n\t\t}\n\t}\n\tvar res wire.Result\n\tvar err error\n\tif p, _ := signedCall(in);"}},
	}
}

// hastyVar makes the hasty build hasty; without it, it behaves.
const hastyVar = "CHAOS_HASTY"

// hastyHelper answers with a number of its own and stores a little later, if the process still lives.
const hastyHelper = `package intake

import (
	"context"
	"os"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func chaosHasty(ctx context.Context, s Store, f incident.Finding, list []database.Incoming) ([]database.Stored, error) {
	if os.Getenv("` + hastyVar + `") == "" {
		return s.StoreAlerts(ctx, f, list)
	}
	var out []database.Stored
	for i := range list {
		list[i].Alert.ID = "al-" + list[i].Alert.Fingerprint
		out = append(out, database.Stored{AlertID: list[i].Alert.ID})
	}
	go func() {
		time.Sleep(300 * time.Millisecond)
		_, _ = s.StoreAlerts(context.WithoutCancel(ctx), f, list)
	}()
	return out, nil
}
`

const module = "github.com/tourniquet-ir/tourniquet"

// buildHooked compiles the product with the hook in it, and with one deliberate fault where mutant names one.
func buildHooked(ctx context.Context, dir, mutant string) (string, error) {
	root, err := top(ctx)
	if err != nil {
		return "", err
	}
	cuts, texts := append(hooks(), mutants()[mutant]...), map[string]string{}
	if mutant == hasty {
		texts["internal/intake/chaos_hasty.go"] = hastyHelper
	}
	for _, c := range cuts {
		if err := c.make(root, texts); err != nil {
			return "", err
		}
	}
	replace := map[string]string{}
	for name, text := range texts {
		at := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = at
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	overlay := filepath.Join(dir, "overlay.json")
	if err := errors.Join(err, os.WriteFile(overlay, raw, 0o600)); err != nil {
		return "", err
	}
	return build(ctx, filepath.Join(dir, "tourniquet"), "cmd/tourniquet", "-overlay", overlay)
}

// make changes the text of a file, which is read when no cut has touched it before.
func (c cut) make(root string, texts map[string]string) error {
	text, touched := texts[c.file]
	if !touched {
		raw, err := os.ReadFile(filepath.Join(root, c.file))
		if err != nil {
			return err
		}
		text = string(raw)
	}
	if n := strings.Count(text, c.find); n != max(c.times, 1) {
		return fmt.Errorf("%s has %d places %q, %d are needed: test/chaos/build.go must follow the code", c.file, n, strings.TrimSpace(c.find), max(c.times, 1))
	}
	text = strings.ReplaceAll(text, c.find, c.put)
	for mark, path := range map[string]string{"hook.": module + "/test/chaos/hook", "grpc.": "google.golang.org/grpc"} {
		if line := "\t\"" + path + "\"\n"; strings.Contains(c.put, mark) && !strings.Contains(text, line) {
			text = strings.Replace(text, "import (\n", "import (\n"+line, 1)
		}
	}
	texts[c.file] = text
	return nil
}

// build compiles one program of this tree.
func build(ctx context.Context, out, pkg string, flags ...string) (string, error) {
	args := append(append([]string{"build", "-ldflags=-s -w", "-o", out}, flags...), module+"/"+pkg)
	if text, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil { //nolint:gosec // our own packages
		return "", fmt.Errorf("%s does not build: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// top is where go.mod lies.
func top(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	path := strings.TrimSpace(string(out))
	if err != nil || path == "" || path == os.DevNull {
		return "", fmt.Errorf("run this inside the source tree: %w", err)
	}
	return filepath.Dir(path), nil
}
