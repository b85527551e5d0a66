package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// MaxBody is the largest delivery that is taken, in bytes.
const MaxBody = 1 << 20

// MaxFindings is how many findings one delivery may hold. A delivery is stored in one transaction.
const MaxFindings = 2000

// maxDepth is the deepest nesting that is read; real findings stay under ten.
const maxDepth = 32

// Request is one delivery as it arrived.
type Request struct {
	Headers http.Header
	Body    []byte
	At      time.Time      // when it arrived
	Remote  netip.AddrPort // who spoke to us: the last hop
	Peer    []string       // names in the verified client certificate; empty without one
}

// Delivery is what one request brought.
type Delivery struct {
	Findings []Decoded
	Headers  map[string]string // what is kept of the headers: never credentials
	Ping     bool              // a test of the connection: nothing to store
	Ignored  string            // why there is nothing to store, as a sentence; empty otherwise
	Confirm  string            // an address that the sender wants visited once, to prove that we want its deliveries
}

// Decoded is one finding in our words.
type Decoded struct {
	// Alert has no ids, no trust, no ReceivedAt and no digest yet. Its Fingerprint is the source's own words
	// for "the same alert"; the door hashes them together with the source's name.
	Alert     incident.Alert
	Secret    []byte   // when the finding carried the live value
	Also      [][]byte // other values that must not be kept as they are; they are blackened and forgotten
	PerSecret bool     // the value is part of what makes it the same alert: scanners have no id of their own
	FetchLink string   // where the live value can be read when the finding only points to it
	// Thread is the source's own name of the matter: later turns of it (resolved, updated) join the same incident, also
	// where no turn names a key.
	Thread string
}

// Source decodes one format. Refusals are *RefusedError.
type Source interface {
	Name() string
	Describe() Card
	Decode(ctx context.Context, r Request) (Delivery, error)
}

// Fetcher reads the live value behind a FetchLink.
type Fetcher interface {
	Fetch(ctx context.Context, link string) (secret []byte, secretType string, err error)
}

// Card describes a source to people.
type Card struct {
	Name    string          `json:"name"`
	Summary string          `json:"summary"`
	Path    string          `json:"path"`
	Auth    string          `json:"auth"`
	Kinds   []string        `json:"kinds"`
	Media   []string        `json:"media"`            // content types that it arrives in
	Fields  []Field         `json:"fields,omitempty"` // of formats that are ours
	SetUp   []string        `json:"set_up"`           // what to do at the other side
	Headers []string        `json:"headers,omitempty"`
	Keeps   bool            `json:"keeps_unread"` // what cannot be read is kept as it came and set aside, because the sender would not come again
	Example json.RawMessage `json:"example"`
}

// Field is one field of a format that is ours.
type Field struct {
	Name     string `json:"name"`
	What     string `json:"what"`
	Required bool   `json:"required,omitempty"`
}

// RefusedError is a delivery that is not taken; Reason is safe to show to the sender and never quotes values.
type RefusedError struct {
	Status int // 401, 413, 415 or 422
	Reason string
}

func (e *RefusedError) Error() string { return e.Reason }

// ErrUnauthenticated is one answer for every way in which a proof may be wrong.
var ErrUnauthenticated = &RefusedError{http.StatusUnauthorized, "the delivery carries no valid proof of where it comes from"}

func refuse(format string, args ...any) error {
	return &RefusedError{http.StatusUnprocessableEntity, fmt.Sprintf(format, args...)}
}

// one is a delivery of a single finding.
func one(d Decoded, headers map[string]string) Delivery {
	return Delivery{Findings: []Decoded{d}, Headers: headers}
}

// ignored is a delivery that says nothing about a key.
func ignored(headers map[string]string, format string, args ...any) Delivery {
	return Delivery{Headers: headers, Ignored: fmt.Sprintf(format, args...)}
}

// title is one line for people, however many the sender made of it.
func title(format string, args ...any) string {
	return cut(strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " "), 300)
}

// seen is when something was observed: what the finding says, unless that lies in the future or nowhere.
func seen(said, arrived time.Time) time.Time {
	if said.Year() < 2000 || said.After(arrived) {
		return arrived.UTC()
	}
	return said.UTC()
}
