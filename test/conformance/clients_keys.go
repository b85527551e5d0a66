package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// subject is one key of one provider in front of the sandbox.
type subject struct {
	provider keys.Provider
	stolen   sandbox.Key
	hint     string // finds the key without its value; empty where the provider keeps none
	call     sandbox.Call
	url      string
	spends   int // model calls before anything is asked
}

// everyCall drives a provider through every action in the order of a response, and back where there is a way back.
func (t *tape) everyCall(ctx context.Context, s subject) error {
	key, err := t.find(ctx, s)
	if err != nil {
		return err
	}
	if err := s.spend(ctx); err != nil {
		return err
	}
	for _, part := range []func(context.Context, subject, incident.Key) error{
		t.observe, t.containAndRestore, t.endSessions, t.replace, t.stopProject, t.revoke,
	} {
		if err := part(ctx, s, key); err != nil {
			return err
		}
	}
	return nil
}

func (t *tape) find(ctx context.Context, s subject) (key incident.Key, err error) {
	p := s.provider
	err = t.do("key.identify", func() error {
		found, err := p.Identify(ctx, incident.Clue{}, []byte(s.stolen.Secret()))
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("%d keys fit the value", len(found))
		}
		if err == nil {
			key = found[0]
		}
		return err
	})
	if err == nil {
		err = t.do("key.identify by id", func() error { _, err := p.Identify(ctx, incident.Clue{ID: key.ID}, nil); return err })
	}
	if err == nil && s.hint != "" {
		err = t.do("key.identify by hint", func() error { _, err := p.Identify(ctx, incident.Clue{Hint: s.hint}, nil); return err })
	}
	key.Provider, key.Account = p.Name(), "main"
	return key, err
}

// spend makes model calls as a thief would; they are nobody's calls and not on the tape.
func (s subject) spend(ctx context.Context) error {
	for range s.spends {
		r, err := s.call(ctx, s.url, s.stolen.Secret(), 200)
		if err != nil {
			return err
		}
		r.Header.Set(sandbox.ActorHeader, sandbox.ActorAttacker)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("a model call was answered %d", res.StatusCode)
		}
	}
	return nil
}

func (t *tape) observe(ctx context.Context, s subject, key incident.Key) error {
	now, p := time.Now(), s.provider
	list := func() error {
		l, ok := p.(keys.Lister)
		if !ok {
			return nil
		}
		_, err := l.List(ctx)
		return err
	}
	return errors.Join(
		t.do("doctor", func() error { return p.Check(ctx) }),
		t.do("inventory check", list),
		t.do("usage.snapshot", func() error { _, err := p.Usage(ctx, key, now.Add(-time.Hour), now.Add(time.Second)); return err }),
		t.do("burn", func() error {
			_, err := p.Usage(keys.Quick(ctx), key, now.Add(-time.Hour), now.Add(time.Second))
			return err
		}),
		t.do("persistence.scan", func() error { _, _, err := p.Persistence(ctx, key, now.Add(-time.Hour)); return err }),
		t.probe(ctx, s, "key.probe", key, keys.ProbeWorking),
	)
}

func (t *tape) probe(ctx context.Context, s subject, action string, key incident.Key, want string) error {
	return t.do(action, func() error {
		got, err := s.provider.Probe(ctx, key, []byte(s.stolen.Secret()))
		if err == nil && got.State != want {
			err = fmt.Errorf("the key is %s (%s) and not %s", got.State, got.Detail, want)
		}
		return err
	})
}

func (t *tape) containAndRestore(ctx context.Context, s subject, key incident.Key) error {
	if !keys.CanFor(s.provider, keys.OpContain, key).Available {
		return nil
	}
	var undo json.RawMessage
	if err := t.change(ctx, "key.contain", keys.OpContain, s, key, &undo, s.provider.Contain); err != nil {
		return err
	}
	if !keys.CanFor(s.provider, keys.OpRestore, key).Available {
		return nil
	}
	return t.change(ctx, "key.restore", keys.OpContain, s, key, nil, func(ctx context.Context, k incident.Key) (keys.Receipt, error) {
		return s.provider.Restore(ctx, k, undo)
	})
}

// change looks at the target, as every action does that changes something, and makes the call.
func (t *tape) change(ctx context.Context, action string, op keys.Op, s subject, key incident.Key, undo *json.RawMessage, call func(context.Context, incident.Key) (keys.Receipt, error)) error {
	err := t.look(action, func() error {
		st, err := s.provider.State(ctx, op, key)
		if undo != nil {
			*undo = st.Undo
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.do(action, func() error { _, err := call(ctx, key); return err })
}

func (t *tape) endSessions(ctx context.Context, s subject, key incident.Key) error {
	if !keys.CanFor(s.provider, keys.OpSessions, key).Available {
		return nil
	}
	var undo json.RawMessage
	if err := t.change(ctx, "sessions.revoke", keys.OpSessions, s, key, &undo, s.provider.Sessions); err != nil {
		return err
	}
	return t.change(ctx, "sessions.restore", keys.OpSessions, s, key, nil, func(ctx context.Context, k incident.Key) (keys.Receipt, error) {
		return s.provider.Restore(ctx, k, undo)
	})
}

// replace makes a key, and takes it away again as an interrupted attempt is cleaned up.
func (t *tape) replace(ctx context.Context, s subject, key incident.Key) error {
	if !keys.CanFor(s.provider, keys.OpCreate, key).Available {
		return nil
	}
	const label = "tourniquet-0a1b2c3d4e5f"
	var made keys.Created
	return errors.Join(
		t.look("key.create", func() error { _, err := s.provider.State(ctx, keys.OpCreate, key); return err }),
		t.do("key.create", func() error {
			if _, err := s.provider.Orphans(ctx, key, label); err != nil {
				return err
			}
			var err error
			made, err = s.provider.Create(ctx, key, label)
			return err
		}),
		t.do("key.create (what an interrupted one left)", func() error {
			left, err := s.provider.Orphans(ctx, key, label)
			if err == nil && len(left) == 0 && made.Key.ID != key.ID {
				left = []incident.Key{made.Key}
			}
			for _, o := range left {
				o.Provider, o.Account = key.Provider, key.Account
				if s.provider.Name() != "azure_openai" { // there, what was handed over is the other slot, and in use
					_, err = s.provider.Revoke(ctx, o)
				}
			}
			return err
		}),
		t.discard(ctx, s, key),
	)
}

// discard makes a key that nobody gets, and deletes it as its undo does.
func (t *tape) discard(ctx context.Context, s subject, key incident.Key) error {
	if keys.CanFor(s.provider, keys.OpCreate, key).Borrowed {
		return nil
	}
	var made keys.Created
	err := t.do("key.discard (the key that is deleted)", func() (err error) {
		made, err = s.provider.Create(ctx, key, "tourniquet-9f8e7d6c5b4a")
		return err
	})
	if err != nil {
		return err
	}
	made.Key.Provider, made.Key.Account = key.Provider, key.Account
	return t.change(ctx, "key.discard", keys.OpRevoke, s, made.Key, nil, s.provider.Revoke)
}

func (t *tape) stopProject(ctx context.Context, s subject, _ incident.Key) error {
	p, ok := s.provider.(keys.ProjectStopper)
	if !ok || !p.CanStop().Available {
		return nil
	}
	var was keys.State
	look := func() (err error) { was, err = p.ProjectState(ctx); return err }
	return errors.Join(
		t.look("project.stop", look),
		t.do("project.stop", func() error { _, err := p.StopProject(ctx); return err }),
		t.do("project.probe", func() error { _, err := p.ProjectState(ctx); return err }),
		t.look("project.start", func() error { _, err := p.ProjectState(ctx); return err }),
		t.do("project.start", func() error { _, err := p.StartProject(ctx, was.Undo); return err }),
	)
}

// revoke twice: what is gone is gone.
func (t *tape) revoke(ctx context.Context, s subject, key incident.Key) error {
	if !keys.CanFor(s.provider, keys.OpRevoke, key).Available {
		return nil
	}
	if err := t.change(ctx, "key.revoke", keys.OpRevoke, s, key, nil, s.provider.Revoke); err != nil {
		return err
	}
	if err := t.change(ctx, "key.revoke (again)", keys.OpRevoke, s, key, nil, s.provider.Revoke); err != nil {
		return err
	}
	return t.probe(ctx, s, "key.probe (revoked)", key, keys.ProbeRefused)
}
