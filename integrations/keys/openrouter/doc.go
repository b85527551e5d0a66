// Package openrouter is the keys.Provider for OpenRouter API keys, through its management keys.
//
// Containment disables one key: one call, felt by this key alone, and taken back by enabling it. Keys are known by the SHA-256 of
// their value, so a leaked value names its key exactly. A new key is made with the limits of the old one. OpenRouter reports
// calls by day, and only days that are over; of today it tells the dollars alone. Every call of the port sends what OpenRouter's
// own description names and nothing else.
//
// It may import integrations/keys and what lies below, and internal/incident. Add one file per operation of the port.
package openrouter
