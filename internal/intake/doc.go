// Package intake is the HTTP door for alerts and the dispatcher behind it. The door authenticates, decodes, fetches a
// live value that the finding only points to, seals it, blackens it in everything else, and answers 202 only after
// finding and alert are durably stored. The dispatcher hands stored alerts to a starter until each has a fate. It may
// import sources, package incident, database types and seal's redaction; it knows no vendor and no Temporal.
package intake
