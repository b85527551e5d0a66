// Package evidence keeps what steps collected and hands a whole run out as a bundle that anybody can verify with a public
// key and no server. Blobs lie in any bucket that gocloud.dev/blob opens, under their own digest. A bundle is a zip of
// files, ledger.jsonl, manifest.json (digests, sizes, the head of the ledger) and manifest.sig. A redacted bundle keeps
// bodies back and still verifies. A second verifier, in another language, lies in test/verify; both are held to the same mutations.
//
// It imports incident and the ledger's arithmetic (database/chain), never the database. To verify one more thing, add a kind
// of Fault and a mutation to the bundle tests. Another kind of bucket is one blank import in store.go.
package evidence
