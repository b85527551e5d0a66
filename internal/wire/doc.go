// Package wire holds the messages between ORDER (workflows) and VERBS (activities): what a workflow hands to an
// action, what comes back, and the names under which both sides know the house's own activities. It exists so that
// workflows never import activities. Everything here travels through Temporal and therefore through the payload
// codec; nothing here ever holds a secret.
package wire
