// Conformance holds every request of every client, and every answer of the sandbox, against the services' official
// descriptions: OpenAPI files, Google's discovery documents, Slack's list of methods, and the types of the official client
// libraries where a service publishes no description. It prints what each action calls, which calls nobody describes, and
// how many were validated; a call that deviates from its description ends it with an error.
//
// The clients are the real ones, each in front of the sandbox on a loopback address. The descriptions lie in a folder beside
// the repository (-contracts). Without it, only what libraries describe is compared, and the last line says so.
//
// To add a client, write a drive in clients_<what>.go that makes it do everything, and list it in drives.
package main
