package playbooks

import (
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// ProgramVersion is the version of the compiled form that this build writes.
const ProgramVersion = 1

// Program is a checked playbook: what a run carries, never linted again.
type Program struct {
	Version     int       `json:"program_version"`
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"`
	Owner       string    `json:"owner,omitempty"`
	Tags        []string  `json:"tags,omitempty"`
	Digest      string    `json:"digest"` // sha256:<hex> of Source
	Source      string    `json:"source"`
	Trigger     string    `json:"trigger,omitempty"`  // expression; empty: by hand or as a sub-playbook
	Priority    int       `json:"priority,omitempty"` // of the trigger: where several answer, the highest does
	NeedsKey    bool      `json:"needs_key"`
	Inputs      []Field   `json:"inputs,omitempty"`
	Vars        []Binding `json:"vars,omitempty"` // in file order
	Steps       []Step    `json:"steps"`
	OnFailure   []Step    `json:"on_failure,omitempty"`
	Finally     []Step    `json:"finally,omitempty"`
}

// Binding is one named value.
type Binding struct {
	Name  string `json:"name"`
	Value Value  `json:"value"`
}

// Value is a literal, one whole expression (keeps its type), a text with expressions in it, a list or a map.
// Exactly one of Lit, Expr, Text, List and Map is set; Kind says which.
type Value struct {
	Kind string    `json:"kind"` // lit, expr, text, list, map
	Lit  any       `json:"lit,omitempty"`
	Expr string    `json:"expr,omitempty"`
	Text []Part    `json:"text,omitempty"`
	List []Value   `json:"list,omitempty"`
	Map  []Binding `json:"map,omitempty"` // file order
	Line int       `json:"line,omitempty"`
	Col  int       `json:"col,omitempty"`
}

// Part is a piece of a text: literal or expression.
type Part struct {
	Lit  string `json:"lit,omitempty"`
	Expr string `json:"expr,omitempty"`
}

// Step kinds.
const (
	KindAction   = "action"
	KindGroup    = "group"
	KindParallel = "parallel"
	KindLoop     = "loop"
	KindAsk      = "ask"
	KindWait     = "wait"
	KindPlaybook = "playbook"
	KindEnd      = "end"
)

// What to do about an error.
const (
	OnErrorAsk      = "ask" // default: park
	OnErrorContinue = "continue"
	OnErrorStop     = "stop"
)

// Step is one line of a plan. Kind says which of the pointers is set.
type Step struct {
	ID       string    `json:"id"`
	Title    string    `json:"title,omitempty"`
	If       string    `json:"if,omitempty"`
	Kind     string    `json:"kind"`
	Line     int       `json:"line"`
	Signoff  *Signoff  `json:"signoff,omitempty"`
	Action   *Action   `json:"action,omitempty"`
	Steps    []Step    `json:"steps,omitempty"` // group, parallel, loop, sub-playbook (inlined)
	Loop     *Loop     `json:"loop,omitempty"`
	Ask      *Ask      `json:"ask,omitempty"`
	Wait     Dur       `json:"wait,omitempty"`
	End      string    `json:"end,omitempty"`  // outcome
	Sub      *Program  `json:"sub,omitempty"`  // sub-playbook, pinned; its Steps, OnFailure and Finally
	With     []Binding `json:"with,omitempty"` // inputs of the sub-playbook
	SkipSafe bool      `json:"skip_safe"`      // every later reader guards against its absence: Skip may be offered
}

// Dur is a duration in JSON as text, "10m".
type Dur time.Duration

// Action is a call, with what the card said when the program was compiled.
type Action struct {
	Uses     string    `json:"uses"`
	With     []Binding `json:"with,omitempty"`
	Effect   string    `json:"effect"`
	CardHash string    `json:"card_digest"`
	Local    bool      `json:"local"`
	Timeout  Dur       `json:"timeout"`
	Retry    Retry     `json:"retry"`
	Until    string    `json:"until,omitempty"` // evaluated in the action over result
	Every    Dur       `json:"every,omitempty"`
	Within   Dur       `json:"within,omitempty"` // over everything
	OnError  string    `json:"on_error"`
	Times    []string  `json:"times,omitempty"` // outputs of type time, so that expressions see them as times
}

// Retry on errors, for what may be repeated.
type Retry struct {
	Attempts int     `json:"attempts"`
	First    Dur     `json:"first"`
	Factor   float64 `json:"factor"`
	Max      Dur     `json:"max"`
}

// Loop is for_each.
type Loop struct {
	Over   Value  `json:"over"`
	As     string `json:"as"`
	AtOnce int    `json:"at_once"`
}

// Ask is a question: information, never permission.
type Ask struct {
	From      string   `json:"from"`
	Prompt    Value    `json:"prompt"`
	Choices   []string `json:"choices,omitempty"`
	Form      []Field  `json:"form,omitempty"`
	Within    Dur      `json:"within"`
	Otherwise string   `json:"otherwise"`
}

// Signoff is the demand of a step or group.
type Signoff struct {
	Seats     []signoff.Seat `json:"seats"`
	Why       Value          `json:"why"`
	Within    Dur            `json:"within"`
	Otherwise string         `json:"otherwise"` // stop or skip
	Escalate  []Escalation   `json:"escalate,omitempty"`
}

// Escalation pings (and with Adds makes eligible) another group, after a time or an amount of money burnt.
type Escalation struct {
	After    Dur    `json:"after,omitempty"`
	AfterUSD int64  `json:"after_usd,omitempty"`
	To       string `json:"to"`
	Adds     bool   `json:"adds,omitempty"`
}
