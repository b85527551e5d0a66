// Package database keeps our own records: alerts, incidents, runs, steps, the ledger, sign-offs, calls, undo records and
// sealed secrets. One SQLite file with one writer and many readers, or a PostgreSQL that several processes share: queries are
// written once and run on both, and so does every test. Times are integer microseconds in UTC; records that are only ever
// read whole lie as JSON beside the columns that are searched.
//
// It imports incident, signoff and its own chain; how secrets are sealed comes in as a Box. To keep another noun, add a
// migration for each of the two (never change an old one) and one file with its methods; a write that reads and then decides
// names a lock (see write). The ledger can only grow: triggers refuse the rest.
package database
