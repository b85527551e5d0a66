// Package database keeps our own records: alerts, incidents, runs, steps, the ledger, sign-offs, calls, undo records and
// sealed secrets. One SQLite file, one writer, many readers; times are integer microseconds in UTC; records that are only
// ever read whole lie as JSON beside the columns that are searched.
//
// It imports incident, signoff and its own chain; how secrets are sealed comes in as a Box. To keep another noun, add a
// migration (never change an old one) and one file with its methods. The ledger can only grow: triggers refuse the rest.
package database
