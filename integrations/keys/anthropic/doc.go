// Package anthropic is the keys.Provider for Anthropic API keys, through the organisation's Admin API.
//
// Containment sets one key inactive: one call, felt by this key alone, and taken back by setting it active. Revocation
// archives it, which is taken for final. Anthropic has no call that makes a key: that is declared, and a person makes it in
// Anthropic's console and seals it in ours. Usage is counted in tokens, not in calls, and Anthropic tells no cost per key:
// money is an estimate from the configured prices, and the organisation's cost report is kept as evidence beside it.
//
// Anthropic's client serves the calls that it covers; the usage and cost reports go over plain HTTP. It may import
// integrations/keys and what lies below, internal/incident and Anthropic's client. Add one file per operation of the port.
package anthropic
