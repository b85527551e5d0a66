// Package e2e runs the product as its users do: the built program as processes of its own, against the sandbox world,
// decided by people who press buttons in the sandbox Slack page. Processes are killed with kill -9 and started again.
//
// It may import the sandbox and the key ring; everything else it sees from the outside. Faults and unsafe builds are made
// with go build -overlay, so that no production file knows of them. To add a test: take a turn (at most two products run
// at once), open a house, and wait with eventually, never with a sleep.
package e2e
