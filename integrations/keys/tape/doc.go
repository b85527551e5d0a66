// Package tape is an HTTP transport for providers: it bounds every answer, judges it before a client believes it, and,
// where the context asks, keeps a copy of it exactly as it came, as evidence. It may import integrations/keys alone.
package tape
