// Package engine gives the rest of the house a Temporal client and hides where the server is: inside this process, on an
// SQLite file in the data directory (the default), or a cluster elsewhere (Config.External).
//
// With Config.Postgres the embedded server keeps its state in a PostgreSQL. Tables of an earlier release are brought up to date.
//
// It is the only package that imports go.temporal.io/server, and does so not at all with the build tag slim. Keep it so: the server is most of what there is to compile.
//
// The embedded server speaks only on loopback and has no accounts of its own. Payloads are safe from other accounts of the
// machine, because they are encrypted and plain ones are refused, but such an account could end a run: give Tourniquet a
// machine or a container of its own, or use a cluster with mutual TLS.
//
// Three of the server's services run: frontend, history and matching. The fourth, called worker, serves schedules,
// batch operations and worker deployments, which we do not use; retention works without it.
package engine
