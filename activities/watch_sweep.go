package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// Sweeper polls the known keys of one account and makes alerts of what it finds.
type Sweeper interface {
	Sweep(ctx context.Context, provider, account string, beat func()) (wire.Swept, error)
}

// sweep is one tick of the watch.
func (h *House) sweep(ctx context.Context, in wire.Sweep) (wire.Swept, error) {
	if h.Watch == nil {
		return wire.Swept{}, refuse(wire.ErrPermanent, "the watch is switched off on this machine")
	}
	out, err := h.Watch.Sweep(ctx, in.Provider, in.Account, func() { activity.RecordHeartbeat(ctx) })
	return out, wrap(err)
}
