package gemini

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var _ keys.Lister = (*Provider)(nil)

// List implements keys.Lister. Deleted keys are left out; hints of API keys are empty, because only a value would tell
// them.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) {
	all, err := p.list(ctx, p.cfg.Project)
	var living []incident.Key
	for _, k := range all {
		if k.DeleteTime == "" {
			living = append(living, p.noun(k, ""))
		}
	}
	if err != nil {
		return nil, err
	}
	accounts, err := p.listAccountKeys(ctx)
	return append(living, accounts...), err
}
