// Package sandbox is a small world to drill in: HTTP servers that speak the real protocols of the services a
// response touches, keep state, refuse what the real ones refuse and revoke with a delay; an attacker who spends on
// a stolen key until he is refused; and dependents, the honest applications that stop working with the key.
//
// The world judges by itself: every request is written to its log with the effect that it had and the cents that
// it cost, so that a drill is measured by what the world saw and never by what the product says about itself.
// Product code cannot tell the sandbox from the real thing: it is chosen by base URLs and credentials alone.
//
// It may import internal/incident and vendor types, nothing else of the house; only the drill and tests import it.
// To add a service, add one file <service>.go with a method on World that returns its http.Handler, built with
// World.serve so that faults, body limits and the log work as everywhere.
package sandbox
