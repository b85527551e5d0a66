// Package chain is the arithmetic of the ledger: how one entry commits to its body and to the entry before it, and
// how a reader checks that nothing was changed, removed or reordered. It is pure, so that a bundle can be verified
// by somebody who has no database. To protect another column, add it to Row.digest and raise the domain.
package chain
