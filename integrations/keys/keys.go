package keys

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Op names something that changes a key at its provider.
type Op string

// The operations of the port.
const (
	OpContain  Op = "contain"
	OpRestore  Op = "restore"
	OpRevoke   Op = "revoke"
	OpCreate   Op = "create"
	OpSessions Op = "sessions"
)

// Reach says how far a call is felt.
const (
	ReachKey     = "key"
	ReachProject = "project"
	ReachAccount = "account"
)

// Capability is what a provider declares about one operation, in words that a card can show.
type Capability struct {
	Available bool
	Reach     string // ReachKey, ReachProject or ReachAccount
	What      string // what the call does, as "Remove every API target from the key"
	Undo      string // how it is taken back; empty where it cannot be
	Why       string // why it is not available
	ByHand    string // where a person does it, for what is not available to programs; empty where nobody can
	Borrowed  bool   // of OpCreate: a key that was there before is handed over, so nothing is made and nothing is to be deleted
}

// State is what an operation relies on and changes, read from the provider now. Fields holds only what the
// call changes or relies on: never counters or last-used times, so that equal states mean "nobody touched it".
type State struct {
	Fields map[string]string // canonical, sorted when hashed
	Done   bool              // the operation's wanted end state already holds
	Undo   json.RawMessage   // what Restore needs to put this state back; no secret in it
}

// Receipt is the provider's confirmation of a state-changing call.
type Receipt struct {
	RequestID string            `json:"request_id,omitempty"` // the provider's own id of the call or operation
	Summary   string            `json:"summary"`
	After     map[string]string `json:"after"` // the fields of State after the call
}

// Created is a new key. Secret is shown once by the provider; the caller seals it at once.
type Created struct {
	Key     incident.Key
	Secret  []byte
	Receipt Receipt
}

// UsageRow is one bucket of use.
type UsageRow struct {
	At       time.Time `json:"at"`
	Seconds  int64     `json:"seconds"` // how much time the bucket stands for at most; 0 where that is not known
	Requests int64     `json:"requests"`
	Tokens   int64     `json:"tokens"`
	MicroUSD int64     `json:"micro_usd"` // millionths of a dollar
	Model    string    `json:"model,omitempty"`
	Method   string    `json:"method,omitempty"`
	Code     string    `json:"code,omitempty"`
	Address  string    `json:"address,omitempty"`
	Region   string    `json:"region,omitempty"`
	Agent    string    `json:"agent,omitempty"`   // user agent: whatever the caller wrote there
	Probing  bool      `json:"probing,omitempty"` // one of the calls by which thieves are known to try a key
}

// Raw is one answer exactly as the provider gave it: evidence.
type Raw struct {
	Name string
	Body []byte
}

// Usage is what a provider can say about the use of a key between two times.
type Usage struct {
	Rows         []UsageRow
	Requests     int64
	Tokens       int64
	MicroUSD     int64 // 0 with CostKnown false means unknown, not free
	CostKnown    bool
	CostBasis    string // "billed", or "estimated from <price list, date>"
	FirstAbuse   time.Time
	NewAddresses []string
	Incomplete   string // why the figures are a lower bound; empty when they are not
	NoRequests   bool   // the provider counts no calls: Requests is 0 and means unknown
	NoTokens     bool   // the same of tokens
	Raw          []Raw
}

// Trace is something an intruder may have left behind.
type Trace struct {
	Kind  string    `json:"kind"` // key_created, service_account_created, …
	What  string    `json:"what"`
	Actor string    `json:"actor,omitempty"`
	At    time.Time `json:"at"`
}

// Probe answers.
const (
	ProbeWorking = "working"
	ProbeRefused = "refused"
	ProbeUnknown = "unknown"
)

// Probed is the answer of a harmless authenticated call with the key itself.
type Probed struct {
	State  string // ProbeWorking, ProbeRefused or ProbeUnknown
	Detail string // status and error code of the provider, never the key
}

// Provider issues keys. Every method may be repeated; only Create makes something new each time, so its
// implementations switch the SDK's own retries off and Orphans finds what a lost answer left behind.
// Errors that repeating cannot mend are wrapped with Permanent.
type Provider interface {
	Name() string
	Can(Op) Capability
	// Identify returns every key that fits the clue: none, one, or several (a hint may be ambiguous).
	Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error)
	// State reads the target of op. For OpCreate it fails where a creation could not succeed.
	State(ctx context.Context, op Op, key incident.Key) (State, error)
	Contain(ctx context.Context, key incident.Key) (Receipt, error)
	// Restore puts back what State(op).Undo recorded before Contain or Sessions.
	Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (Receipt, error)
	Revoke(ctx context.Context, key incident.Key) (Receipt, error)
	// Create makes a key that can do what like could do before it was contained. label marks it as ours so that Orphans finds it.
	Create(ctx context.Context, like incident.Key, label string) (Created, error)
	// Orphans lists keys made under label.
	Orphans(ctx context.Context, like incident.Key, label string) ([]incident.Key, error)
	// Sessions ends what was derived from the key; providers without sessions return a receipt that says so. What it
	// changes is undoable: Restore takes it back.
	Sessions(ctx context.Context, key incident.Key) (Receipt, error)
	Usage(ctx context.Context, key incident.Key, since, until time.Time) (Usage, error)
	Persistence(ctx context.Context, key incident.Key, since time.Time) ([]Trace, []Raw, error)
	Probe(ctx context.Context, key incident.Key, secret []byte) (Probed, error)
	// Check is a read-only call that proves the configured credentials work; for doctor.
	Check(ctx context.Context) error
}

// ErrUnsupported is wrapped by operations that a provider does not offer.
var ErrUnsupported = errors.New("this provider cannot do that")

// PermanentError is an error that a retry cannot mend (400, 401, 403, 404, …): the step parks and asks.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent marks err as one that a retry cannot mend; nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &PermanentError{Err: err}
}

// IsPermanent reports whether a retry is pointless.
func IsPermanent(err error) bool {
	var p *PermanentError
	return errors.As(err, &p) || errors.Is(err, ErrUnsupported)
}
