// Package api describes our HTTP API and serves it from the same description: an endpoint is a method, a path, the types
// that its handler takes and gives, and the right that it needs. From these types Document writes OpenAPI 3.0, so that the
// document cannot say anything else than the code does.
//
// It imports people, for rights, and report, which makes hidden characters visible. To add an endpoint, write JSON(...) with a typed handler, or Raw(...) where the answer is
// not JSON, and put it into the list of the room that serves it.
package api
