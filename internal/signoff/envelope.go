package signoff

import "time"

// Effects, declared by the action and never by the author.
const (
	EffectObserve  = "observe"
	EffectNotify   = "notify"
	EffectUndoable = "undoable"
	EffectFinal    = "final"
)

// Envelope is what people sign: the exact calls and everything that binds them to one place and time. Its digest is
// SHA-256 over RFC 8785 canonical JSON behind a domain prefix. Wording, burn and layout stay outside.
type Envelope struct {
	World        string            `json:"world"` // production or drill
	Installation string            `json:"installation"`
	Incident     string            `json:"incident"`
	WorkflowID   string            `json:"workflow_id"`
	Run          string            `json:"run"`
	Step         string            `json:"step"` // step path
	Attempt      int               `json:"attempt"`
	Nonce        string            `json:"nonce"`
	Playbook     string            `json:"playbook"`
	PlaybookHash string            `json:"playbook_digest"`
	Calls        []PlannedCall     `json:"calls"`
	Evidence     []string          `json:"evidence"` // digests
	Rule         Rule              `json:"rule"`
	PolicyHash   string            `json:"policy_digest"`
	Issued       time.Time         `json:"issued"`
	Expires      time.Time         `json:"expires"`
	UseWithin    Seconds           `json:"use_within"`      // from quorum to the first call
	Complete     Seconds           `json:"complete_within"` // from the first call to the last
	PublicKeys   map[string]string `json:"public_keys"`     // key id -> base64 Ed25519, for decisions
}

// Seconds is a whole number of seconds: envelopes hold no floats.
type Seconds int64

// PlannedCall is one frozen call.
type PlannedCall struct {
	Index    int               `json:"index"`
	Step     string            `json:"step"` // path of the step, with loop index
	Action   string            `json:"action"`
	CardHash string            `json:"card_digest"`
	Effect   string            `json:"effect"`
	Inputs   map[string]any    `json:"inputs"` // resolved; secrets only as handle+version; a later value as Later
	Target   string            `json:"target"` // what it changes, in words that name it exactly
	State    map[string]string `json:"target_state"`
	Undo     string            `json:"undo,omitempty"`  // how it is undone; empty where it cannot be
	Reach    string            `json:"reach,omitempty"` // key, project, account
	After    string            `json:"after,omitempty"` // what will hold afterwards, in words
}

// LaterKey marks an input whose value an earlier call of the same request makes:
// {"$after": {"step": path, "output": name}}.
const LaterKey = "$after"

// Rule says who decides: all seats must fill, one person fills one seat.
type Rule struct {
	Seats    []Seat   `json:"seats"`
	Excluded []string `json:"excluded"` // person ids that may never decide this one
}

// Seat is Count places of a group, or one named part (key_owner) with a group that stands in for it.
type Seat struct {
	Group  string `json:"group,omitempty" yaml:"group,omitempty"`
	Named  string `json:"seat,omitempty" yaml:"seat,omitempty"` // for example key_owner
	Person string `json:"person,omitempty" yaml:"-"`            // who that part is, resolved when frozen
	Else   string `json:"else,omitempty" yaml:"else,omitempty"`
	Count  int    `json:"count" yaml:"count"`

	Also []StandIn `json:"also,omitempty" yaml:"-"` // escalations that make a group eligible, frozen like the rest
}

// StandIn is a group whose members may take a place of a seat, too, from a time on.
type StandIn struct {
	Group string    `json:"group"`
	From  time.Time `json:"from"`
}

// Verbs of a decision.
const (
	Approve = "approve"
	Reject  = "reject"
)

// Decision is one person's signed answer. Groups is the membership that the gateway saw.
type Decision struct {
	Request string    `json:"request"`
	Digest  string    `json:"digest"` // of the envelope that the person was shown
	Person  string    `json:"person"`
	Name    string    `json:"name"` // own copy: records outlive people
	Verb    string    `json:"verb"`
	Reason  string    `json:"reason,omitempty"`
	Groups  []string  `json:"groups"`
	SeenAt  time.Time `json:"seen_at"` // when membership was read
	At      time.Time `json:"at"`
	Surface string    `json:"surface"` // slack, cli, console
	KeyID   string    `json:"key_id"`
	Sig     string    `json:"sig"` // base64 Ed25519 over the canonical JSON of the rest
}

// Grant is what a call shows to be allowed: the envelope and the decisions that filled its seats.
type Grant struct {
	Request   string     `json:"request"`
	Envelope  Envelope   `json:"envelope"`
	Decisions []Decision `json:"decisions"`
	QuorumAt  time.Time  `json:"quorum_at"`
}

// States of a request.
const (
	StateOpen      = "open"
	StateQuorum    = "quorum"
	StateExecuting = "executing"
	StateDone      = "done"
	StateFailed    = "failed"
	StateRejected  = "rejected"
	StateExpired   = "expired"
	StateVoided    = "voided"
	StateCancelled = "cancelled"
	StateLapsed    = "lapsed"
)

// Refusal is why an answer does not count. Code is stable, Why is a sentence for the person.
type Refusal struct {
	Code string `json:"code"`
	Why  string `json:"why"`
}

func (r *Refusal) Error() string { return r.Why }

// Refusal codes.
const (
	NotEligible    = "not_eligible"
	ExcludedCode   = "excluded"
	AlreadyCounted = "already_counted"
	ExpiredCode    = "expired"
	ClosedCode     = "closed"
	StaleDigest    = "stale_digest"
	BadSignature   = "bad_signature"
)

// View is everything a surface shows of one request. It is stored when the request is frozen and only its
// State, Filled and Spent change afterwards.
type View struct {
	Request   string     `json:"request"`
	Envelope  Envelope   `json:"envelope"`
	Digest    string     `json:"digest"`
	Code      string     `json:"code"` // check code: start of the digest, same on every surface
	Title     string     `json:"title"`
	Why       string     `json:"why"` // the author's words
	Impact    []string   `json:"impact"`
	Changes   []Change   `json:"changes"`
	Spent     string     `json:"spent"` // money line, says estimated or billed
	Waiting   string     `json:"waiting"`
	Who       string     `json:"who"`
	WhoNot    string     `json:"who_not"`
	Otherwise string     `json:"otherwise"`
	Next      []string   `json:"next,omitempty"` // who is woken next, and when
	Place     string     `json:"place"`          // "step 5 of 8"
	State     string     `json:"state"`
	Filled    int        `json:"filled"`
	Seats     int        `json:"seats"`
	Decided   []Decision `json:"decided"`
	Refused   []string   `json:"refused,omitempty"`
	Link      string     `json:"link,omitempty"`
	Alarm     *Alarm     `json:"alarm,omitempty"` // what the watch saw before the run
}

// Alarm is why the watch raised one: a sentence, and the id under which chat keeps the chart, empty where it took none.
type Alarm struct {
	Why   string `json:"why"`
	Chart string `json:"chart,omitempty"`
}

// Change is one line of before and after.
type Change struct {
	Target string `json:"target"`
	Before string `json:"before"`
	After  string `json:"after"`
	Undo   string `json:"undo"`
}
