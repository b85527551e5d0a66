// Package signin lets people in by an OpenID Connect provider: authorization code with PKCE, state and nonce. It gives the
// subject, never an address or a name, to whoever maps people. It imports go-oidc and x/oauth2 and knows no other room.
package signin
