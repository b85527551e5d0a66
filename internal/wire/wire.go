package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Names known to both sides.
const (
	TaskQueue      = "tourniquet"
	Respond        = "Respond"
	UpdateDecide   = "decide"
	UpdateAnswer   = "answer"
	SignalAlerts   = "alerts"
	SignalRestored = "restored"
	FreezeSignoff  = "signoff.freeze"
	AskSignoff     = "signoff.ask"
	SettleSignoff  = "signoff.settle"
	RecheckSignoff = "signoff.recheck"
	RemindSignoff  = "signoff.remind"
	OpenQuestion   = "question.open"
	SettleQuestion = "question.settle"
	Record         = "run.record"
	Burn           = "run.burn"
	Preview        = "plan.preview"
	CloseRun       = "run.close"
	VoidRun        = "run.void"
)

// ExecutionOf names the setting that holds the one Temporal execution that we started for a run; VoidedBy the one that
// announced itself as a reset of it.
func ExecutionOf(run string) string { return "execution/" + run }

// VoidedBy names the setting of the execution that parks a run which was reset.
func VoidedBy(run string) string { return "voided/" + run }

// Kinds of refusal that an action reports as the type of its error; the workflow decides by them.
const (
	ErrPermanent    = "permanent"       // a retry cannot mend it
	ErrNeedsSignoff = "needs_signoff"   // policy does not automate this call
	ErrObserve      = "observe"         // mode observe: nothing undoable or final is done
	ErrRefused      = "refused"         // the grant does not allow this call
	ErrDrifted      = "drifted"         // the target changed, or people did: ask anew
	ErrLapsed       = "lapsed"          // the approval was not used in time: ask anew
	ErrWait         = "wait"            // nothing was sent, because people could not be looked at: try again
	ErrUnknown      = "unknown_outcome" // sent before, answer lost, not repeatable: a person must look
	ErrAmbiguous    = "ambiguous"       // several keys fit the hint
	ErrNotYet       = "not_yet"         // until is still false
)

// Start is the input of a run: everything it will ever need to know of the outside.
type Start struct {
	Run        incident.Run       `json:"run"`
	Alert      incident.Alert     `json:"alert"`
	Program    *playbooks.Program `json:"program"`
	Policy     signoff.Policy     `json:"policy"`
	PublicKeys map[string]string  `json:"public_keys"` // of the gateway, frozen
	Inputs     map[string]any     `json:"inputs,omitempty"`
}

// Ended is the result of a run.
type Ended struct {
	Outcome string `json:"outcome"`
	Why     string `json:"why,omitempty"`
}

// Call is one call of an action.
type Call struct {
	Run      string         `json:"run"`
	Incident string         `json:"incident"`
	Step     string         `json:"step"` // path
	Title    string         `json:"title,omitempty"`
	Attempt  int            `json:"attempt"`
	Action   string         `json:"action"`
	CardHash string         `json:"card_digest,omitempty"`
	With     map[string]any `json:"with"`
	Grant    *signoff.Grant `json:"grant,omitempty"`
	Until    string         `json:"until,omitempty"`
	Alert    incident.Alert `json:"alert"`
	At       time.Time      `json:"at"` // workflow time
}

// Result is what an action gives back.
type Result struct {
	Outputs map[string]any `json:"outputs"`
	Summary string         `json:"summary,omitempty"`
	Undo    string         `json:"undo,omitempty"`    // action that takes it back; empty when nothing is in force
	UsedUp  []string       `json:"used_up,omitempty"` // paths of steps whose effect is in force no more: this call made use of it
	Already bool           `json:"already,omitempty"`
	Request string         `json:"provider_request,omitempty"` // the provider's own id of the request
}

// Planned is a call to be frozen: the workflow resolved it, the freezer dry-runs it.
type Planned struct {
	Step     string         `json:"step"`
	Action   string         `json:"action"`
	CardHash string         `json:"card_digest,omitempty"`
	With     map[string]any `json:"with"`
}

// Freeze asks for an envelope.
type Freeze struct {
	Run        string            `json:"run"`
	Step       string            `json:"step"`
	Attempt    int               `json:"attempt"`
	Title      string            `json:"title"`
	Why        string            `json:"why"`
	Calls      []Planned         `json:"calls"`
	Seats      []signoff.Seat    `json:"seats,omitempty"`
	Undo       bool              `json:"undo,omitempty"` // under policy.undo
	Within     playbooks.Dur     `json:"within"`
	Complete   playbooks.Dur     `json:"complete"`
	Otherwise  string            `json:"otherwise"`
	Again      string            `json:"again,omitempty"` // why people are asked anew
	Place      string            `json:"place"`
	Alert      incident.Alert    `json:"alert"`
	Key        *incident.Key     `json:"key,omitempty"`
	At         time.Time         `json:"at"`
	WorkflowID string            `json:"workflow_id"`
	PublicKeys map[string]string `json:"public_keys"`

	Escalate []playbooks.Escalation `json:"escalate,omitempty"`
}

// Adds lists the groups that the playbook's escalations ask to make eligible, each from its own time on.
func (f Freeze) Adds() []signoff.StandIn {
	var adds []signoff.StandIn
	for _, e := range f.Escalate {
		if e.Adds && e.After > 0 {
			adds = append(adds, signoff.StandIn{Group: e.To, From: f.At.Add(e.After.Std())})
		}
	}
	return adds
}

// Preview asks what calls would do; mode observe shows it and does nothing.
type PreviewAsk struct {
	Run   string         `json:"run"`
	Step  string         `json:"step"`
	Calls []Planned      `json:"calls"`
	Alert incident.Alert `json:"alert"`
}

// Settle tells what became of a request.
type Settle struct {
	Run       string             `json:"run"`
	Request   string             `json:"request"`
	State     string             `json:"state"`
	Why       string             `json:"why,omitempty"`
	Decisions []signoff.Decision `json:"decisions"`
}

// Void tells that a run was reset, so that nothing it holds counts.
type Void struct {
	Run      string `json:"run"`
	Original string `json:"original"` // execution that was reset
	Why      string `json:"why"`
}

// Remind pings people about an open request.
type Remind struct {
	Run     string `json:"run"`
	Request string `json:"request"`
	Group   string `json:"group,omitempty"` // escalation; empty: a plain reminder
	Why     string `json:"why"`
}

// Question is something people are asked that gives no permission.
type Question struct {
	ID        string    `json:"id"`
	Run       string    `json:"run"`
	Step      string    `json:"step"`
	Kind      string    `json:"kind"` // ask, park, key
	From      string    `json:"from"` // group
	Title     string    `json:"title"`
	Prompt    string    `json:"prompt"`
	Choices   []string  `json:"choices"`
	Otherwise string    `json:"otherwise,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`
	Answer    string    `json:"answer,omitempty"`
	By        string    `json:"by,omitempty"`
}

// Answer is a signed answer to a question, in the shape of a decision: Verb is VerbAnswer, Reason the answer.
type Answer struct {
	Question string           `json:"question"`
	Decision signoff.Decision `json:"decision"`
}

// VerbAnswer marks a decision that answers a question.
const VerbAnswer = "answer"

// Decide is a signed decision on a request.
type Decide struct {
	Request  string           `json:"request"`
	Decision signoff.Decision `json:"decision"`
}

// Reply is what an update gives back to the gateway.
type Reply struct {
	Accepted bool   `json:"accepted"`
	Code     string `json:"code,omitempty"`
	Why      string `json:"why,omitempty"`
	State    string `json:"state,omitempty"`
	Filled   int    `json:"filled"`
	Seats    int    `json:"seats"`
}

// Event is one entry for the ledger.
type Event struct {
	ID   string          `json:"id"`
	Kind string          `json:"kind"`
	Step string          `json:"step,omitempty"`
	At   time.Time       `json:"at"`
	Body json.RawMessage `json:"body,omitempty"`
}

// Batch is what a workflow writes down at once.
type Batch struct {
	Run    string        `json:"run"`
	State  string        `json:"state,omitempty"`
	Key    *incident.Key `json:"key,omitempty"`
	Events []Event       `json:"events"`
	Steps  []StepStatus  `json:"steps,omitempty"`
}

// StepStatus is the status of a step that is not an action call.
type StepStatus struct {
	Path   string    `json:"path"`
	Title  string    `json:"title,omitempty"`
	Status string    `json:"status"`
	Error  string    `json:"error,omitempty"`
	At     time.Time `json:"at"`
	From   time.Time `json:"from,omitzero"` // when it began; zero: at At
	Over   *Items    `json:"over,omitempty"`
}

// Items are what a loop goes over, as far as they are kept.
type Items struct {
	As    string            `json:"as"`
	Count int               `json:"count"`
	Items []json.RawMessage `json:"items"`
}

// StatusRunning is the status of a step that holds others, as long as these go on.
const StatusRunning = "running"

// Close asks to end a run; Again in the answer says that alerts arrived meanwhile.
type Close struct {
	Run      string    `json:"run"`
	Incident string    `json:"incident"`
	Outcome  string    `json:"outcome"`
	Why      string    `json:"why,omitempty"`
	InForce  []string  `json:"in_force,omitempty"`
	At       time.Time `json:"at"`
}

// Closed is the answer to Close.
type Closed struct {
	Again bool `json:"again"`
}

// BurnAsk asks for the money spent on a key since a time; the answer is millionths of a dollar.
type BurnAsk struct {
	Run   string       `json:"run"`
	Key   incident.Key `json:"key"`
	Since time.Time    `json:"since"`
}

// QuestionDigest binds an answer to the question as it was put.
func QuestionDigest(q Question) string {
	sum := sha256.Sum256([]byte("tourniquet/question/v1\n" + q.ID + "\x00" + q.Prompt + "\x00" + strings.Join(q.Choices, "\x00")))
	return "sha256:" + hex.EncodeToString(sum[:])
}
