// Package activities is VERBS: everything a playbook can do, one file per action, noun_verb.go, with its card and its
// code. The executor (execute.go) stands between Temporal and every action: it checks mode, policy, hold and grant,
// writes the call row before anything is sent and the receipt after, and is the only code that calls Action.Run.
// Activities know ports, never vendors. To add an action: one file with a func() Action and one line in registry.go.
package activities
