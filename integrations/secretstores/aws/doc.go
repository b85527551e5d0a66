// Package aws keeps a dependent's key in AWS Secrets Manager, as the whole secret or as one field of a JSON object. A write
// carries the call's own ClientRequestToken, so that a repeat changes nothing; taking it back moves the stage AWSCURRENT to
// the version before. It may import the secretstores and keys ports, package incident, internal/outbound and AWS's SDK.
package aws
