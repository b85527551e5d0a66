// Package signoff is the pure heart of a human decision: the envelope that freezes what is asked, its digest,
// the policy and its matching of people to seats, signed decisions, and the check that a grant allows one call.
// It has no clock, network or disk: everything arrives as an argument, so that the workflow, the gateway and the
// action run the very same code. It imports incident and nothing else of the house, and from outside jcs (RFC 8785)
// and expr (auto_if). To add a refusal, add its code to codes.go and a case to the table of its test.
package signoff
