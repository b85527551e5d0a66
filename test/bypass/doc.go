// Command bypass tries to get a final call made without the people that policy demands. It sets up the outside world with the
// sandbox, starts the real `tourniquet serve` as a process, and goes through its real doors: Slack over HTTP and over the
// socket, the command line, the console, the alert door, and a raw Temporal client with access to the namespace and, in the
// worst cases, the installation's key ring.
//
// What happened is judged from the world's log alone: how many calls the provider saw. Each attempt is followed by a
// legitimate one, which must give exactly one call; a house that refuses everybody would pass otherwise. What the person was
// told is checked, too, and where the ledger says so.
//
//	go run ./test/bypass              the table, then N attempts, 0 final calls
//	go run ./test/bypass -mutants     ten builds, each without one check; every one must turn the run red
//
// The ten are one program with an overlay of the sources (mutants.go); an environment variable says which check it leaves out.
// To add an attempt, add an entry to one of the lists in attempts_*.go.
package main
