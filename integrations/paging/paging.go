package paging

import "context"

// Pager wakes people. dedup makes a repeat harmless.
type Pager interface {
	Page(ctx context.Context, dedup, summary string, people []string) error
	// Acknowledge says that somebody has it in hand: nobody else is woken.
	Acknowledge(ctx context.Context, dedup string) error
	Resolve(ctx context.Context, dedup string) error
}
