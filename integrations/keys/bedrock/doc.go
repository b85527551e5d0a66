// Package bedrock is the keys.Provider for credentials that spend on Amazon Bedrock: IAM access keys (AKIA…), long-term
// Bedrock API keys (ABSK…, an IAM service-specific credential), and what is only lent for hours: short-term Bedrock API
// keys (bedrock-api-key-…) and other temporary credentials (ASIA…).
//
// Access keys and long-term API keys are contained by setting them inactive: one call, undoable, felt by that key alone.
// Temporary credentials can be neither listed nor deleted. They are contained by an inline policy on the user or role
// that they were derived from: it denies everything that is asked with a token issued before now, and every short-term
// Bedrock key; taking the policy off undoes it. The same policy ends what was derived from an access key, because setting
// a key inactive does not.
//
// IAM names the user in every call: a call without one would hit the responder's own user. Access keys and API keys carry
// no name of ours, so Create first leaves a tag on the user that says when it began and which keys there were; Orphans
// reads it. Use is read from CloudTrail, Region by Region, within its two calls a second; money from an estimate for
// each call where the configuration has one, from Cost Explorer otherwise, which lags by up to a day.
//
// It may import integrations/keys, internal/incident and AWS's client. Add one file per operation of the port.
package bedrock
