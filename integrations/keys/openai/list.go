package openai

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var _ keys.Lister = (*Provider)(nil)

// List implements keys.Lister.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) {
	all, err := p.list(ctx, p.cfg.Project)
	out := make([]incident.Key, 0, len(all))
	for _, k := range all {
		out = append(out, p.noun(k))
	}
	return out, err
}
