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

// Moved has somebody else write between the look and the write: nothing is written over it.
func Moved(t *testing.T, b Bench) {
	t.Helper()
	b.Write(Value(t))
	late := Change(t, b, Value(t))
	theirs := Value(t)
	b.Write(theirs)
	if _, err := b.Store.Update(t.Context(), b.Dependent, late); !errors.Is(err, secretstores.ErrMoved) || !keys.IsPermanent(err) {
		t.Errorf("update: %v", err)
	}
	if b.Read() != theirs {
		t.Error("somebody else's value was written over")
	}
}

// Misnamed has a store refuse addresses before it makes any call.
func Misnamed(t *testing.T, b Bench, calls func() int, bad ...map[string]string) {
	t.Helper()
	before := calls()
	for _, change := range bad {
		d := b.Dependent
		d.Address = map[string]string{}
		for k, v := range b.Dependent.Address {
			d.Address[k] = v
		}
		for k, v := range change {
			d.Address[k] = v
		}
		if _, err := b.Store.State(t.Context(), d); !keys.IsPermanent(err) {
			t.Errorf("%v was taken: %v", change, err)
		}
		if _, err := b.Store.Update(t.Context(), d, secretstores.Change{Value: []byte("x"), Over: map[string]string{"version": "1"}}); !keys.IsPermanent(err) {
			t.Errorf("%v was taken: %v", change, err)
		}
	}
	for _, value := range [][]byte{nil, make([]byte, 2<<20)} {
		if _, err := b.Store.Update(t.Context(), b.Dependent, secretstores.Change{Value: value}); !keys.IsPermanent(err) {
			t.Errorf("a value of %d bytes was taken: %v", len(value), err)
		}
	}
	if n := calls() - before; n != 0 {
		t.Errorf("%d calls were made", n)
	}
}
