package starter_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// engine stands in for Temporal: it keeps what it is given, or fails.
type engine struct {
	client.Client
	mu      sync.Mutex
	err     error
	ids     []string
	starts  []wire.Start
	signals map[string][]map[string]any
	told    map[string]time.Time // of restores
}

func (e *engine) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return nil, e.err
	}
	e.ids, e.starts = append(e.ids, o.ID), append(e.starts, args[0].(wire.Start))
	return execution{id: fmt.Sprintf("execution-%d", len(e.ids))}, nil
}

func (e *engine) SignalWorkflow(_ context.Context, workflowID, _, signal string, arg any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	if signal == wire.SignalRestored {
		if e.told == nil {
			e.told = map[string]time.Time{}
		}
		e.told[workflowID] = arg.(time.Time)
		return nil
	}
	if signal != wire.SignalAlerts {
		return fmt.Errorf("nobody listens to %q", signal)
	}
	e.signals[workflowID] = append(e.signals[workflowID], arg.([]map[string]any)...)
	return nil
}

type execution struct {
	client.WorkflowRun
	id string
}

func (e execution) GetRunID() string { return e.id }

type room struct {
	*starter.Starter
	db     *database.DB
	engine *engine
}

func newRoom(t *testing.T, files fstest.MapFS) room {
	t.Helper()
	dir := t.TempDir()
	ring := got[*seal.Ring](t)(seal.LoadOrCreate(filepath.Join(dir, "ring"), nil))
	db := got[*database.DB](t)(database.Open(context.Background(), filepath.Join(dir, "db"), ring.Box()))
	t.Cleanup(func() { must(t, db.Close()) })
	e := &engine{signals: map[string][]map[string]any{}}
	lib := got[starter.Library](t)(starter.Load(files, world()))
	s := starter.New(starter.Options{DB: db, Temporal: e, Library: func() starter.Library { return lib }, Mode: incident.ModeEnforce,
		World: incident.WorldProduction, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }})
	return room{Starter: s, db: db, engine: e}
}

func world() playbooks.World { return playbooks.World{Groups: map[string]int{"secops": 3}} }

// playbook is a whole one that only asks; an empty trigger is by hand only.
func playbook(id, trigger string) *fstest.MapFile {
	if trigger != "" {
		trigger = "trigger:\n  if: " + trigger + "\n"
	}
	return &fstest.MapFile{Data: []byte(`schema: tourniquet/v1
id: ` + id + `
title: A key was stolen
owner: secops
` + trigger + `steps:
  - id: triage
    ask:
      from: secops
      prompt: Abuse?
      choices: [abuse, legitimate]
      within: 30m
      otherwise: abuse
`)}
}

func one() fstest.MapFS {
	return fstest.MapFS{"leak.yaml": playbook("leak", `alert.kind == "key.leaked"`)}
}

// store puts an alert on the key through the door's own road and gives back what the dispatcher would hand on.
func (r room) store(t *testing.T, a incident.Alert) database.Pending {
	t.Helper()
	ctx := context.Background()
	var aliases []database.Alias
	if a.Key.ID != "" {
		aliases = []database.Alias{{Provider: "gemini", Kind: database.AliasID, Value: a.Key.ID}}
	}
	s := got[database.Stored](t)(r.db.StoreAlert(ctx, incident.Finding{}, a, aliases))
	for _, p := range got[[]database.Pending](t)(r.db.Undispatched(ctx, 1000)) {
		if p.Alert.ID == s.AlertID {
			return p
		}
	}
	t.Fatalf("the alert %q is not to be dispatched", a.Fingerprint)
	return database.Pending{}
}

func leaked(fingerprint string) incident.Alert {
	return incident.Alert{Source: "github", Trust: incident.TrustAct, Kind: incident.KindKeyLeaked, Severity: "high", Title: "Leaked",
		Fingerprint: fingerprint, ObservedAt: noon, ReceivedAt: noon, Key: incident.Clue{Provider: "gemini", Account: "main", ID: "k1"}}
}

func got[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
