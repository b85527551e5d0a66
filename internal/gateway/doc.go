// Package gateway is the only place where a human act becomes a signed decision. It maps the person, looks at their
// groups, commits every attempt to the ledger before it answers, signs, and hands the decision to the workflow as an
// update, again and again until it is answered. Only the API role runs it, because only it holds the signing key.
// Every surface (Slack, console, command line) ends here.
package gateway
