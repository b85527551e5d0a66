package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// MaxBody is the largest finding that is taken, in bytes.
const MaxBody = 1 << 20

// maxDepth is the deepest nesting that is read; real findings stay under ten.
const maxDepth = 32

// Request is one delivery as it arrived.
type Request struct {
	Headers http.Header
	Body    []byte
	At      time.Time // when it arrived
}

// Decoded is a finding in our words.
type Decoded struct {
	// Alert has no ids, no trust, no ReceivedAt and no digest yet. Its Fingerprint is the source's own words
	// for "the same alert"; the door hashes them together with the source's name.
	Alert     incident.Alert
	Secret    []byte            // when the finding carried the live value
	FetchLink string            // where the live value can be read when the finding only points to it
	Headers   map[string]string // what is kept of the headers: never credentials
	Ping      bool              // a test of the connection: nothing to store
	Ignored   string            // why there is nothing to store, as a sentence; empty otherwise
}

// Source decodes one format. Refusals are *RefusedError.
type Source interface {
	Name() string
	Describe() Card
	Decode(ctx context.Context, r Request) (Decoded, error)
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
	Fields  []Field         `json:"fields,omitempty"` // of formats that are ours
	SetUp   []string        `json:"set_up"`           // what to do at the other side
	Headers []string        `json:"headers,omitempty"`
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

// CheckEnvelope refuses bodies that are too large, not JSON by their own word, or not UTF-8.
func CheckEnvelope(r Request) error {
	if len(r.Body) > MaxBody {
		return &RefusedError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", MaxBody)}
	}
	kind, _, err := mime.ParseMediaType(r.Headers.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &RefusedError{http.StatusUnsupportedMediaType, "the Content-Type must be application/json"}
	}
	if !utf8.Valid(r.Body) {
		return refuse("the body is not UTF-8")
	}
	return nil
}

// decodeJSON reads body into v after the shape was checked; its errors never quote a value.
func decodeJSON(body []byte, v any, strict bool) error {
	if !utf8.Valid(body) {
		return refuse("the body is not UTF-8")
	}
	if len(body) > MaxBody {
		return &RefusedError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", MaxBody)}
	}
	if err := checkShape(body, strict); err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	if strict {
		d.DisallowUnknownFields()
	}
	err := d.Decode(v)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return refuse("the field %q has the wrong type: %s is wanted", wrong.Field, wrong.Type)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return refuse("the field %s is not known", field)
	}
	return refuse("a field of the body cannot be read")
}
