package storetest

import (
	"errors"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
)

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
