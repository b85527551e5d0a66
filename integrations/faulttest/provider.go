package faulttest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Subject is a provider of keys as the matrix needs it.
type Subject struct {
	Open    func(url string) (keys.Provider, error)
	Key     incident.Key
	Undo    string // what State would have recorded
	Stopped string // what ProjectState would have recorded, where a project can be stopped
	Secret  string // the value of the key: made up, of the right shape
	Body    func(status int, text string) string
	Fine    []string
	Type    string
	Only    []string // the calls that are tried; all when empty
}

// Provider is a provider of keys with every call of its port. Revoking or creating again what is gone is an answer, and so
// is a look for what is not there; what a provider declares not to offer is left out.
func Provider(name string, s Subject) Client {
	return Client{
		Name: name, Body: s.Body, Type: s.Type, Never: []string{s.Secret}, Fine: append(s.Fine, "identify by id/404", "identify by value/404", "state/404", "revoke/404", "state of revoke/404", "probe/400", "probe/401", "probe/403"),
		Either: []string{"state/404", "probe/*"},
		Calls: func(t *testing.T, url string) map[string]func(context.Context) error {
			p, err := s.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			return portCalls(t, p, s)
		},
	}
}

func portCalls(t *testing.T, p keys.Provider, s Subject) map[string]func(context.Context) error {
	now := time.Now()
	can := func(op keys.Op) bool { return keys.CanFor(p, op, s.Key).Available }
	calls := map[string]func(context.Context) error{
		"identify by id": func(ctx context.Context) error {
			_, err := p.Identify(ctx, incident.Clue{ID: s.Key.ID}, nil)
			return err
		},
		"identify by value": func(ctx context.Context) error {
			_, err := p.Identify(ctx, incident.Clue{}, []byte(s.Secret))
			return err
		},
		"state":           func(ctx context.Context) error { _, err := p.State(ctx, keys.OpContain, s.Key); return err },
		"state of revoke": func(ctx context.Context) error { _, err := p.State(ctx, keys.OpRevoke, s.Key); return err },
		"contain":         func(ctx context.Context) error { _, err := p.Contain(ctx, s.Key); return err },
		"restore":         func(ctx context.Context) error { _, err := p.Restore(ctx, s.Key, json.RawMessage(s.Undo)); return err },
		"revoke":          func(ctx context.Context) error { _, err := p.Revoke(ctx, s.Key); return err },
		"usage": func(ctx context.Context) error {
			_, err := p.Usage(ctx, s.Key, now.Add(-time.Hour), now)
			return err
		},
		"persistence": func(ctx context.Context) error {
			_, _, err := p.Persistence(ctx, s.Key, now.Add(-time.Hour))
			return err
		},
		"check": p.Check,
		"probe": func(ctx context.Context) error { return probe(ctx, t, p, s) },
	}
	if can(keys.OpCreate) {
		calls["create"] = func(ctx context.Context) error { _, err := p.Create(ctx, s.Key, "tourniquet-1"); return err }
		calls["orphans"] = func(ctx context.Context) error { _, err := p.Orphans(ctx, s.Key, "tourniquet-1"); return err }
	}
	if can(keys.OpSessions) {
		calls["sessions"] = func(ctx context.Context) error { _, err := p.Sessions(ctx, s.Key); return err }
	}
	for op, name := range map[keys.Op]string{keys.OpContain: "contain", keys.OpRestore: "restore", keys.OpRevoke: "revoke"} {
		if !can(op) {
			delete(calls, name)
		}
	}
	if l, ok := p.(keys.Lister); ok {
		calls["list"] = func(ctx context.Context) error { _, err := l.List(ctx); return err }
	}
	if stopper, ok := p.(keys.ProjectStopper); ok && stopper.CanStop().Available {
		maps.Copy(calls, projectCalls(stopper, s))
	}
	if len(s.Only) > 0 {
		maps.DeleteFunc(calls, func(name string, _ func(context.Context) error) bool { return !slices.Contains(s.Only, name) })
	}
	return calls
}

func projectCalls(p keys.ProjectStopper, s Subject) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"project state": func(ctx context.Context) error { _, err := p.ProjectState(ctx); return err },
		"project stop":  func(ctx context.Context) error { _, err := p.StopProject(ctx); return err },
		"project start": func(ctx context.Context) error { _, err := p.StartProject(ctx, json.RawMessage(s.Stopped)); return err },
	}
}

// unproven is a probe that could not tell.
type unproven struct{ detail string }

func (u unproven) Error() string { return u.detail }

// probe turns what a probe tells into an error: against a fault it may be anything but working, and it is refused only where
// the fault reads as the provider's own refusal.
func probe(ctx context.Context, t *testing.T, p keys.Provider, s Subject) error {
	got, err := p.Probe(ctx, s.Key, []byte(s.Secret))
	switch {
	case err != nil:
		return err
	case got.State == keys.ProbeWorking:
		t.Errorf("the probe says that the key works: %s", got.Detail)
	case got.State == keys.ProbeRefused:
		return nil
	}
	return unproven{got.Detail}
}
