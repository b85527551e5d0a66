// Package vault keeps a dependent's key in one field of a secret of Vault's or OpenBao's KV version 2. Every write is made
// with check-and-set against the version that people saw; taking it back writes that version's field again. It may import
// the secretstores and keys ports, package incident, internal/outbound and Vault's own client.
package vault
