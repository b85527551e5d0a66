// Package faults tries every client that we have against every way in which a service or a network fails: each refusal that
// HTTP knows, silence, half an answer, another form than agreed, a page of a proxy, an error inside a good answer, a body
// without an end, and a redirect to somebody else. Each call must end in bounded time and memory with an error of the right
// class, in which there is no secret and no address; what came of it is docs/faults.md.
//
// The engine is integrations/faulttest. To add a client, describe it in a clients_<what>_test.go and list it in all.
package faults
