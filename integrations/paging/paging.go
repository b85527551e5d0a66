package paging

import (
	"context"
	"fmt"
)

// Pager wakes people. dedup makes a repeat harmless.
type Pager interface {
	Page(ctx context.Context, dedup, summary string, people []string) error
	// Acknowledge says that somebody has it in hand: nobody else is woken.
	Acknowledge(ctx context.Context, dedup string) error
	Resolve(ctx context.Context, dedup string) error
}

// Rota names whose turn it is: a schedule, or one level of an escalation policy.
type Rota struct {
	Schedule string
	Policy   string
	Level    int // of the policy; the first one where it is 0
}

// String names it for people.
func (r Rota) String() string {
	if r.Schedule != "" {
		return fmt.Sprintf("the schedule %q", r.Schedule)
	}
	return fmt.Sprintf("level %d of the escalation policy %q", max(r.Level, 1), r.Policy)
}

// Roster knows who is on call.
type Roster interface {
	// OnCall are the service's own ids of the users whose turn it is now; nobody is an empty list.
	OnCall(ctx context.Context, rota Rota) ([]string, error)
}
