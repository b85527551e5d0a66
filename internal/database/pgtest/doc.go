// Package pgtest starts a PostgreSQL of its own for tests: on loopback, in a folder of its own, with a password made at run
// time, and gone with the test. It needs the Debian package postgresql (test/setup.sh installs it) and imports nothing of ours besides internal/freeport.
// Only tests import it.
package pgtest
