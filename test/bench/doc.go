// Command bench measures how fast an alert becomes a containment, beside a bare Temporal workflow that makes the same
// calls: rows 1 and 2 of docs/speed.md; on request also PostgreSQL, scale-out, growth and parked runs. Run it with `make bench`, or `go run ./test/bench -o json`.
//
// Three processes take part. This one is the outside world: the sandbox's Google and Slack, and the clients that send alerts.
// A child is `tourniquet serve`, built from this tree, with a playbook of contain, snapshot and notify. Another child
// is this program again (bare.go): the same embedded engine, the same encryption, the same vendors' clients, and a workflow
// that makes the same calls with the same placement and keeps no records of its own.
//
// Both are measured in turns of a few hundred samples, so that a noisy machine is noisy for both. What counts is the ratio.
// A sample ends at the world log's entry of the first request that changes the alert's key; the bench fails when an alert
// is lost, or when the two sides made different calls.
package main
