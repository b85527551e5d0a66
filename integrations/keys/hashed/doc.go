// Package hashed is what providers have in common that name a key by the SHA-256 of its value, list every key of an account,
// and have a switch for each: LiteLLM and OpenRouter. A provider says how one record is read, how all are, and what a record
// looks like; the rest is here once.
//
// It may import integrations/keys, its rest and tape, and internal/incident.
package hashed
