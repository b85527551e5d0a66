// Package outbound is how we call addresses outside: Client for services that an operator configured, with a time-out, a
// bounded answer and no redirects; Guard for addresses that came from an inventory or a webhook list, which may name only
// hosts that are allowed and never reach a private network unless the configuration names it. The guard looks at the
// address after name resolution, so that no name, redirect or proxy leads inside. It imports the standard library only.
package outbound
