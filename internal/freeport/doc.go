// Package freeport finds loopback ports for servers that tests start, kill and start again at the same address. It imports the
// standard library only; only tests import it.
package freeport
