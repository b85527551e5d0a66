package cards

import (
	"context"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const (
	burnEvery = time.Minute
	mostEdits = 20 // copies in one round: Slack takes about fifty edits a minute, and decisions come first
)

// Money says what an incident has cost and what waiting costs, by now; known is false where nobody can tell.
type Money func(ctx context.Context, v signoff.View) (spent, waiting string, known bool)

// KeepBurn refreshes the money on open cards every minute until ctx ends.
func (b *Board) KeepBurn(ctx context.Context, money Money) {
	tick := time.NewTicker(burnEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := b.Burn(ctx, money); err != nil && ctx.Err() == nil {
				b.log.Warn("the money on open cards could not be refreshed; it is tried again in a minute", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Burn is one round. It goes on where the last one stopped, so that with many open cards each has its turn.
func (b *Board) Burn(ctx context.Context, money Money) error {
	if b == nil || b.chat == nil {
		return nil
	}
	open, err := b.db.Requests(ctx, "", true)
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(v signoff.View) bool { return v.State != signoff.StateOpen })
	if at := slices.IndexFunc(open, func(v signoff.View) bool { return v.Request == b.next }); at >= 0 {
		open = slices.Concat(open[at:], open[:at])
	}
	edits := 0
	for _, v := range open {
		b.next = v.Request
		if edits >= mostEdits {
			return nil
		}
		changed, err := b.price(ctx, v, money)
		if err != nil {
			return err
		}
		if changed == 0 {
			continue
		}
		edits += changed
		if err := b.Refresh(ctx, v.Request); err != nil {
			return err // chat is away or wants us to wait: the next round begins with this card
		}
	}
	b.next = ""
	return nil
}

// price writes new figures into an open request; the answer is how many copies have to change.
func (b *Board) price(ctx context.Context, v signoff.View, money Money) (int, error) {
	copies, err := b.db.Deliveries(ctx, v.Request)
	if err != nil || len(copies) == 0 {
		return 0, err
	}
	spent, waiting, known := money(ctx, v)
	if !known || spent == v.Spent && waiting == v.Waiting {
		return 0, nil
	}
	return len(copies), b.db.SetRequest(ctx, v.Request, func(now *signoff.View) error {
		if now.State == signoff.StateOpen {
			now.Spent, now.Waiting = spent, waiting
		}
		return nil
	})
}
