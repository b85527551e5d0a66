package keys

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Varied is a provider whose keys are of several kinds that can do different things. Can then speaks of the usual kind.
type Varied interface {
	CanKey(Op, incident.Key) Capability
}

// CanFor is what p declares about op for this very key.
func CanFor(p Provider, op Op, key incident.Key) Capability {
	if v, ok := p.(Varied); ok {
		return v.CanKey(op, key)
	}
	return p.Can(op)
}

type quickKey struct{}

// Quick asks Usage for an answer now, even a lower bound, in place of a complete one later: money on a card, not evidence.
func Quick(ctx context.Context) context.Context { return context.WithValue(ctx, quickKey{}, true) }

// IsQuick reports whether the caller asked for a quick answer.
func IsQuick(ctx context.Context) bool { return ctx.Value(quickKey{}) != nil }
