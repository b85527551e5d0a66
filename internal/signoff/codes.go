package signoff

import "fmt"

// Further refusal codes. They are stable: surfaces, the ledger and the documentation key on them.
const (
	WrongRequest  = "wrong_request"  // the decision answers another request
	NoReason      = "no_reason"      // a rejection without a reason
	BadVerb       = "bad_verb"       // neither approve nor reject
	TooEarly      = "too_early"      // a time lies before it could have been, or ahead of the clock
	BadEnvelope   = "bad_envelope"   // the envelope itself is malformed, so that nothing can rest on it
	UntrustedKey  = "untrusted_key"  // the envelope brings public keys that this installation does not trust
	NoQuorum      = "no_quorum"      // the decisions do not fill the seats
	LapsedCode    = "lapsed"         // approved, but used too late
	WrongPlace    = "wrong_place"    // another world, installation, run or workflow
	NotPlanned    = "not_planned"    // no such call was shown to people
	InputsDiffer  = "inputs_differ"  // the arguments are not the ones approved
	TargetDiffers = "target_differs" // the target is not the one approved
	Drifted       = "drifted"        // the target is no longer in the state that people saw
)

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Why: fmt.Sprintf(format, args...)}
}
