// Package backup copies an installation that keeps everything in its data directory (SQLite), while serve runs, and puts a copy
// back. The two databases have no common transaction, so the copies are taken of one moment: while nobody can write our records, both are
// held at what they say then. A copy is what a power cut would have left, and whoever starts on it is told apart by the records themselves
// (database.ComeHome). Key files are copied only when asked for. It knows files and SQLite and imports nothing of ours; PostgreSQL has its own tools.
package backup
