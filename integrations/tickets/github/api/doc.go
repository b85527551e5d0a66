// Package api is our one way of calling GitHub's REST API: go-github's client for requests, rate limits and
// errors, with time-outs, body limits, no redirects, and errors that never carry a URL, a token or a secret.
// The tracker, the resolver, the alert reader and the secret store share it. It may import the keys port (for
// permanent errors) and go-github only. Calls that go-github v60 does not know are made with Call and own structs.
package api
