package tickets

import "context"

// Ticket is an incident as a tracker keeps it.
type Ticket struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// Tracker opens, comments and closes tickets. marker makes Open repeatable: a ticket that carries it is returned
// instead of a second one being opened. Text is plain; implementations neutralise markup and mentions.
type Tracker interface {
	Open(ctx context.Context, marker, title, body string) (Ticket, error)
	Comment(ctx context.Context, id, marker, body string) error
	Close(ctx context.Context, id, summary string) error
}

// How a source's own alert was handled, in GitHub's words.
const (
	Revoked       = "revoked"
	FalsePositive = "false_positive"
	UsedInTests   = "used_in_tests"
	WontFix       = "wont_fix"
)

// Resolver marks a source's own alert as handled; resolution is one of the words above.
type Resolver interface {
	Resolve(ctx context.Context, link, resolution, comment string) error
}
