package storetest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Value is a fresh secret that no real service would take.
func Value(t testing.TB) string {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "test-" + hex.EncodeToString(b)
}

// Bench is one secret in one store of the sandbox.
type Bench struct {
	Store     secretstores.Store
	Dependent incident.Dependent
	Write     func(value string) // as somebody else would
	Read      func() string      // the world's judgement
	Blind     bool               // the store shows no values
}

// Change is an update of what State says now.
func Change(t testing.TB, b Bench, value string) secretstores.Change {
	t.Helper()
	st, err := b.Store.State(t.Context(), b.Dependent)
	if err != nil {
		t.Fatal(err)
	}
	return secretstores.Change{
		Value: []byte(value), Over: st.Fields, Token: "call-" + Value(t)[:24], At: time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC),
	}
}

// Round gives a dependent a value, looks at it, and puts the old one back.
func Round(t *testing.T, b Bench) {
	t.Helper()
	old, next := Value(t), Value(t)
	b.Write(old)
	before, err := b.Store.State(t.Context(), b.Dependent)
	if err != nil || before.Fields["exists"] != "true" || (before.Undo == nil) != (b.Store.Undo() == "") {
		t.Fatalf("before: %+v %v", before, err)
	}
	kept := keep(t, b)
	if _, err := b.Store.Update(t.Context(), b.Dependent, Change(t, b, next)); err != nil {
		t.Fatal(err)
	}
	if b.Read() != next {
		t.Fatal("the store does not hold the new value")
	}
	seen(t, b, next, old)
	if r, reads := b.Store.(secretstores.Reader); reads {
		if got, err := r.Value(t.Context(), b.Dependent); err != nil || string(got) != next {
			t.Errorf("the value is not the one that was written (%v)", err)
		}
	}
	if before.Undo == nil {
		if _, err := b.Store.Restore(t.Context(), b.Dependent, nil, nil, secretstores.Change{}); !errors.Is(err, keys.ErrUnsupported) {
			t.Errorf("restore: %v", err)
		}
		return
	}
	if _, err := b.Store.Restore(t.Context(), b.Dependent, before.Undo, kept, Change(t, b, "")); err != nil {
		t.Fatal(err)
	}
	if b.Read() != old {
		t.Error("the old value was not put back")
	}
}

func keep(t *testing.T, b Bench) []byte {
	t.Helper()
	k, ok := b.Store.(secretstores.Keeper)
	if !ok {
		return nil
	}
	old, err := k.Old(t.Context(), b.Dependent)
	if err != nil {
		t.Fatal(err)
	}
	return old
}

// seen asks Holds without a value, with the right one and with a wrong one.
func seen(t *testing.T, b Bench, right, wrong string) {
	t.Helper()
	for _, c := range []struct {
		value   []byte
		healthy bool
	}{{nil, true}, {[]byte(right), true}, {[]byte(wrong), b.Blind}} {
		got, err := b.Store.Holds(t.Context(), b.Dependent, c.value)
		if err != nil || got.Healthy != c.healthy || got.Detail == "" {
			t.Errorf("holds: %+v %v, want healthy %v", got, err, c.healthy)
		}
	}
}
