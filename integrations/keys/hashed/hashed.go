package hashed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Key is what every record of such a provider tells.
type Key struct {
	incident.Key
	Hint      string // as the provider shows the value
	Off       bool   // the switch
	CreatedAt time.Time
	CreatedBy string
}

// Account is one account of such a provider, with a record of its own kind.
type Account[R any] struct {
	Who  string                                           // as errors name the account
	One  func(ctx context.Context, id string) (*R, error) // nil, nil: there is none of this id
	All  func(ctx context.Context) ([]R, error)
	Read func(R) Key
	// Field names the switch in states and undo records, as "disabled"; By is how a person puts it back, as "enable it".
	Field, By string
}

// ID is how such a provider names the key of this value.
func ID(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}

// Identify finds keys by id, by value, or by hint. A hint may fit several keys.
func (a Account[R]) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	id := clue.ID
	if len(secret) > 0 {
		id = ID(secret)
	}
	if id != "" {
		k, err := a.One(ctx, id)
		if err != nil || k == nil {
			return nil, err
		}
		return []incident.Key{a.Read(*k).Key}, nil
	}
	if _, last := keys.Ends(clue.Hint); len(last) < 3 {
		return nil, nil
	}
	return a.those(ctx, func(k Key) bool { return keys.HintFits(k.Hint, clue.Hint) })
}

// List implements keys.Lister.
func (a Account[R]) List(ctx context.Context) ([]incident.Key, error) {
	found, err := a.those(ctx, func(Key) bool { return true })
	if found == nil {
		found = []incident.Key{}
	}
	return found, err
}

// Orphans lists the keys that were named with a label.
func (a Account[R]) Orphans(ctx context.Context, label string) ([]incident.Key, error) {
	return a.those(ctx, func(k Key) bool { return label != "" && strings.HasSuffix(k.Name, mark(label)) })
}

func (a Account[R]) those(ctx context.Context, fits func(Key) bool) (found []incident.Key, err error) {
	all, err := a.All(ctx)
	for _, r := range all {
		if k := a.Read(r); fits(k) {
			found = append(found, k.Key)
		}
	}
	return found, err
}

func mark(label string) string { return " (" + label + ")" }

// Named is the name of a key that is to be made like another one, by which Orphans finds it.
func Named(like, label string) string {
	return strings.TrimSpace(strings.TrimSpace(like) + mark(label))
}

// Like reads the key that a new one is to be like, before anything is made.
func (a Account[R]) Like(ctx context.Context, what, id, label string) (*R, error) {
	if label == "" {
		return nil, keys.Permanent(fmt.Errorf("%s: a label is needed to find the key again", what))
	}
	old, err := a.One(ctx, id)
	if err == nil && old == nil {
		err = keys.Permanent(fmt.Errorf("%s: the old key is gone, so its limits are not known; make one by hand", what))
	}
	return old, err
}

// Persistence lists the keys that were made since, with the provider's answers as evidence.
func (a Account[R]) Persistence(ctx context.Context, evidence string, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	ctx, recorder := tape.Record(ctx)
	all, err := a.All(ctx)
	if err != nil {
		return nil, nil, err
	}
	var traces []keys.Trace
	for _, r := range all {
		k := a.Read(r)
		if k.CreatedAt.Before(since) || k.ID == key.ID {
			continue
		}
		traces = append(traces, keys.Trace{Kind: "key_created", What: fmt.Sprintf("key %q (%q)", k.ID, k.Name), Actor: k.CreatedBy, At: k.CreatedAt.UTC()})
	}
	return traces, recorder.Evidence(evidence), nil
}

// State reads what op relies on.
func (a Account[R]) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	if op == keys.OpSessions {
		return keys.State{Fields: map[string]string{}, Done: true}, nil
	}
	r, err := a.One(ctx, key.ID)
	if err != nil {
		return keys.State{}, err
	}
	if op == keys.OpRevoke || op == keys.OpCreate {
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(r != nil)}, Done: op == keys.OpRevoke && r == nil}, nil
	}
	if r == nil {
		return keys.State{}, keys.Permanent(fmt.Errorf("%s knows no key %q", a.Who, key.ID))
	}
	off := a.Read(*r).Off
	undo, err := json.Marshal(map[string]bool{a.Field: off})
	return keys.State{Fields: a.Fields(off), Done: op == keys.OpContain && off, Undo: undo}, err
}

// Fields is the state of the switch.
func (a Account[R]) Fields(off bool) map[string]string {
	return map[string]string{a.Field: strconv.FormatBool(off)}
}

// Restore switches the key on, unless it was off before it was contained.
func (a Account[R]) Restore(key incident.Key, undo json.RawMessage, on func() (keys.Receipt, error)) (keys.Receipt, error) {
	var was map[string]bool
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("what was recorded of the key %q cannot be read, %s by hand: %w", key.ID, a.By, err))
	}
	if was[a.Field] {
		return keys.Receipt{Summary: "Nothing to put back: the key was " + a.Field + " before", After: a.Fields(true)}, nil
	}
	return on()
}

// Gone is the receipt of a deletion; already tells that there was nothing left to delete.
func Gone(request string, already bool) keys.Receipt {
	after := map[string]string{"exists": "false"}
	if already {
		return keys.Receipt{Summary: "The key was deleted already", After: after}
	}
	return keys.Receipt{RequestID: request, Summary: "The key is deleted for good", After: after}
}
