// Package sources holds who tells us: each source verifies and decodes one format into alerts in our words. A decoder is
// pure: no network, no clock, no disk; everything it reads is hostile. Proofs (signatures, tokens, certificates) may
// fetch keys, through clients that they are given. It may import package incident, and for mapped sources the language's
// expressions and package diag. To add a source: one file <name>.go with a type that satisfies Source, samples with golden
// outputs under testdata/<name>, a fuzz target, and a line in app.go.
package sources
