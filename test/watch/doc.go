// Command watch judges the usage watch on honest traffic and on injected thefts, beside two plain rules, and prints a table.
// Recorded series are read from a folder when there is one; series of our own are always there.
//
//	go run ./test/watch [-traffic DIR] [-injections 200] [-o json]
//	go run ./test/watch -cost 10000   # what a sweep over so many keys takes of one core
package main
