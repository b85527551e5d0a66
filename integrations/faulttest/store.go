package faulttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Shelf is a store of secrets as the matrix needs it.
type Shelf struct {
	Open      func(t *testing.T, url string) secretstores.Store
	Dependent incident.Dependent
	Undo      string // a record that the store would have made; empty where it makes none
	Value     string // what is written: made up
	Never     []string
	Body      func(status int, text string) string
	Asks      bool // Ready asks the service
	Quotes    bool // errors carry the service's own short message, because it never repeats a value
	Gone      bool // 404 is an answer here: the secret was never written
}

// Store is a store of secrets with every call of its port that reaches the service.
func Store(name string, s Shelf) Client {
	c := Client{
		Name: name, Body: s.Body, Never: append([]string{s.Value}, s.Never...), Mute: !s.Quotes,
		Calls: func(t *testing.T, url string) map[string]func(context.Context) error {
			return shelfCalls(s, s.Open(t, url))
		},
	}
	if s.Gone {
		c.Fine = []string{"state/404", "holds/404", "update/404", "restore/404"}
	}
	return c
}

func shelfCalls(s Shelf, store secretstores.Store) map[string]func(context.Context) error {
	change := secretstores.Change{
		Value: []byte(s.Value), Over: map[string]string{"version": "7"}, Token: "call-0123456789abcdef", At: time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC),
	}
	out := map[string]func(context.Context) error{
		"state":  func(ctx context.Context) error { _, err := store.State(ctx, s.Dependent); return err },
		"update": func(ctx context.Context) error { _, err := store.Update(ctx, s.Dependent, change); return err },
		"holds": func(ctx context.Context) error {
			h, err := store.Holds(ctx, s.Dependent, change.Value)
			if err == nil && h.Healthy {
				return errors.New("healthy without an answer")
			}
			return err
		},
	}
	if s.Asks {
		out["ready"] = store.Ready
	}
	if k, keeps := store.(secretstores.Keeper); keeps {
		out["old value"] = func(ctx context.Context) error { _, err := k.Old(ctx, s.Dependent); return err }
	}
	if r, reads := store.(secretstores.Reader); reads {
		out["value"] = func(ctx context.Context) error { _, err := r.Value(ctx, s.Dependent); return err }
	}
	if s.Undo != "" {
		out["restore"] = func(ctx context.Context) error {
			_, err := store.Restore(ctx, s.Dependent, []byte(s.Undo), change.Value, change)
			return err
		}
	}
	if d, ok := store.(secretstores.Deployer); ok && secretstores.DeployKind(s.Dependent) == d.Deploys() {
		out["deployable"] = func(ctx context.Context) error { return d.Deployable(ctx, s.Dependent) }
		out["deploy"] = func(ctx context.Context) error { _, err := d.Deploy(ctx, s.Dependent, change); return err }
		out["deployed"] = func(ctx context.Context) error {
			h, err := d.Deployed(ctx, s.Dependent, change.At)
			if err == nil && h.Healthy {
				return errors.New("deployed without an answer")
			}
			return err
		}
	}
	return out
}
