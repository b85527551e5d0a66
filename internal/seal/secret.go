package seal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Sealed is all that any printer, logger or encoder ever learns of a Secret.
const Sealed = "[sealed]"

// Secret carries a value that must not be printed. The bytes hide behind a function, because printers that walk values by
// reflection (fmt on unexported fields, debuggers' dumpers) skip our methods, but cannot look into a closure.
// Copies share the bytes, so that one Wipe clears them all. The zero Secret is empty.
type Secret struct{ hold func() *[]byte }

// NewSecret takes the bytes over: the caller must not use or change them afterwards.
func NewSecret(value []byte) Secret {
	return Secret{hold: func() *[]byte { return &value }}
}

// Reveal returns a copy of the bytes, nil when empty or wiped. Wipe it, or let it die young.
func (s Secret) Reveal() []byte { return bytes.Clone(s.bytes()) }

// Len is the number of bytes.
func (s Secret) Len() int { return len(s.bytes()) }

// Wipe overwrites the bytes with zeros and empties the Secret and its copies.
func (s Secret) Wipe() {
	if s.hold == nil {
		return
	}
	v := s.hold()
	clear(*v)
	*v = nil
}

func (s Secret) bytes() []byte {
	if s.hold == nil {
		return nil
	}
	return *s.hold()
}

// String hides the value.
func (s Secret) String() string { return Sealed }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return Sealed }

// Format hides the value from every verb, %x and %d included.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, Sealed) }

// MarshalJSON hides the value.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(Sealed) }

// MarshalText hides the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Sealed), nil }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Sealed) }
