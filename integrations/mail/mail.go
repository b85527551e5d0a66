package mail

import "context"

// Mailer writes to people. Text is plain.
type Mailer interface {
	Send(ctx context.Context, to []string, subject, text string) error
}
