package openai

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var _ keys.Lister = (*Provider)(nil)

// List implements keys.Lister: the keys of our projects.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) {
	out := []incident.Key{}
	for _, project := range p.projects() {
		all, err := p.list(ctx, project)
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			out = append(out, p.noun(k, project))
		}
	}
	return out, nil
}
