// Package guard makes HTTP clients for addresses that somebody else chose: they never reach loopback, private or
// link-local networks, follow no redirects, and give up in time. It imports the standard library only.
package guard
