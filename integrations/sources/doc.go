// Package sources holds who tells us: each source verifies and decodes one format into an alert in our words. A
// decoder is pure: no network, no clock, no disk; everything it reads is hostile. It may import package incident
// only. To add a source: one file <name>.go with a type that satisfies Source, samples with golden outputs under
// testdata/<name>, a fuzz target, and a line in app.go.
package sources
