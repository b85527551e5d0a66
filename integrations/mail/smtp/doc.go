// Package smtp writes to people by SMTP with go-mail. TLS is required unless the operator turns it off for a relay on
// the same machine. It may import the mail and keys ports and go-mail.
package smtp
