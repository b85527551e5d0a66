package azureopenai

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var _ keys.Lister = (*Provider)(nil)

// List implements keys.Lister: the two keys of the resource. Azure shows values or nothing, so they are read, and only their
// ends and a fingerprint leave this function.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) {
	slots, err := p.slots(ctx)
	out := make([]incident.Key, 0, len(slots))
	for _, s := range slots {
		out = append(out, p.noun(s))
	}
	return out, err
}
