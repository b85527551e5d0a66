package paging

import "context"

// Pager wakes people. dedup makes a repeat harmless.
type Pager interface {
	Page(ctx context.Context, dedup, summary string, people []string) error
	Resolve(ctx context.Context, dedup string) error
}
