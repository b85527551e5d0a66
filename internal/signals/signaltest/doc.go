// Package signaltest receives traces for tests, as an OTLP collector does: over gRPC, on loopback. Nothing but tests imports it.
package signaltest
