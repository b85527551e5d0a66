// Package rest is JSON over plain HTTP, for providers that have no client library or one that lacks a call.
//
// A call is made once; only Read, which changes nothing, is repeated, and only after faults that look transient. Answers
// are bounded, redirects are not followed, and what is not JSON is not believed. Errors say what was tried and what came
// back, hold neither URLs nor anything that looks like a key, and are permanent where repeating cannot mend them.
//
// It may import integrations/keys, its tape, and internal/outbound.
package rest
