// Package incident holds the plain nouns that every room shares: keys, alerts, findings, evidence,
// incidents and runs. It has no behaviour beyond what a noun knows about itself and imports only the
// standard library. To add a noun, add a file; a noun that only one package needs stays there.
package incident
