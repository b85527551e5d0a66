// Package github keeps a dependent's key in GitHub Actions: repository secrets and environment secrets. A
// secret there is write-only, so nothing can be put back: the store is not undoable. After the write a workflow is
// started where the inventory names one. It may import the secretstores and keys ports, package incident and the
// GitHub client; a third kind of secret is one more case in address.go.
package github
