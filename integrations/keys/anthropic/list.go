package anthropic

import (
	"context"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var _ keys.Lister = (*Provider)(nil)

// List implements keys.Lister: the keys that are not archived.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) {
	all, err := p.list(ctx)
	out := make([]incident.Key, 0, len(all))
	for _, k := range all {
		if k.Status != sdk.APIKeyStatusArchived {
			out = append(out, p.noun(k))
		}
	}
	return out, err
}
