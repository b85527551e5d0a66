package webhooks

import (
	"context"
	"time"
)

// Event is what a receiver is told. ID is the same for every repeat, by which a receiver knows it again.
type Event struct {
	ID   string         `json:"-"`
	Type string         `json:"type"` // as incident.contained
	At   time.Time      `json:"timestamp"`
	Data map[string]any `json:"data"`
}

// Sender sends an event to a receiver that the configuration names.
type Sender interface {
	Send(ctx context.Context, to string, e Event) error
}
