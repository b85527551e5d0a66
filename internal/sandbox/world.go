package sandbox

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"
)

// Options of a world. The zero value is a world that keeps its log in memory and uses the real clock.
type Options struct {
	Log             io.Writer        // the world log as JSON lines; nil keeps it in memory only
	RevocationDelay time.Duration    // how long a deleted key still works; default 20 s, negative means none
	ContainDelay    time.Duration    // how long Google's long-running operations take; default none
	AWSDelay        time.Duration    // how long changes of IAM take to be felt; default RevocationDelay or 1 s, negative means none (AWS: 3 to 4 s)
	AzureDelay      time.Duration    // how long changes to an Azure resource take; default 1 s, negative means none (Azure: minutes)
	Now             func() time.Time // default time.Now; money uses wall time
	Admin           string           // bearer token that the admin APIs accept; default is made at random
}

// World is the state of every pretended service. All its methods are safe for concurrent use.
type World struct {
	mu     sync.Mutex // guards everything below; handlers built with serve run while holding it
	opt    Options
	google *googleState
	openai *openaiState
	aws    *awsState
	azure  *azureState
	parts  map[reflect.Type]any // the states of all other services, by their type
	values map[string]*Key      // by secret value, of every provider
	faults map[string][]int
	log    worldLog

	deliverMu sync.Mutex // held while subscribers run, so that they see entries in order
}

// NewWorld makes an empty world.
func NewWorld(opt Options) *World {
	if opt.AWSDelay == 0 {
		opt.AWSDelay = cmp.Or(opt.RevocationDelay, time.Second)
	}
	if opt.RevocationDelay == 0 {
		opt.RevocationDelay = 20 * time.Second
	}
	if opt.AzureDelay == 0 {
		opt.AzureDelay = time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Admin == "" {
		opt.Admin = "sandbox-" + randomText(lowerAlphabet, 32)
	}
	return &World{
		opt: opt, google: newGoogleState(), openai: newOpenAIState(), aws: newAWSState(), azure: newAzureState(),
		values: map[string]*Key{}, faults: map[string][]int{}, parts: map[reflect.Type]any{},
	}
}

// part is the state of a service, empty on first use. The world's lock guards it.
func part[T any](w *World) *T {
	kind := reflect.TypeFor[T]()
	if _, known := w.parts[kind]; !known {
		w.parts[kind] = new(T)
	}
	return w.parts[kind].(*T)
}

// Now is the world's clock.
func (w *World) Now() time.Time { return w.opt.Now() }

// AdminToken is the credential that the admin APIs of the providers accept in this world.
func (w *World) AdminToken() string { return w.opt.Admin }

// RevocationDelay is how long a deleted key goes on working.
func (w *World) RevocationDelay() time.Duration { return max(w.opt.RevocationDelay, 0) }

// Key is one credential of the world. Its secret is reachable only through Secret, so that printing or
// encoding a Key cannot leak it.
type Key struct {
	Provider string `json:"provider"`
	Project  string `json:"project"`
	ID       string `json:"id"`
	UID      string `json:"uid,omitempty"` // Google counts use under it
	Name     string `json:"name"`

	secret    string
	createdAt time.Time
	deletedAt time.Time // zero while it lives
}

// Secret is the value that a thief would steal.
func (k Key) Secret() string { return k.secret }

// Hint is what may be shown of the value: its first and last four characters.
func (k Key) Hint() string { return k.secret[:4] + "…" + k.secret[len(k.secret)-4:] }

// dead reports whether the deletion of the key has reached the model API.
func (w *World) dead(k *Key) bool {
	return !k.deletedAt.IsZero() && !w.Now().Before(k.deletedAt.Add(w.RevocationDelay()))
}

const (
	lowerAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	fullAlphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// randomText makes n characters of alphabet; a little bias does not matter here.
func randomText(alphabet string, n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(raw)
}

// randomUUID makes a version 4 UUID, the form of Google's key ids.
func randomUUID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
