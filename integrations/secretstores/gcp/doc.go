// Package gcp keeps a dependent's key in Google Secret Manager. A write adds a version and carries the value's CRC32C; taking
// it back adds a version with the value of the one before, because "latest" is always the newest one. Adding is not
// idempotent, so nothing here tries twice. It may import the secretstores and keys ports, package incident,
// internal/outbound and Google's client.
package gcp
