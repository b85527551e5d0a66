package azureopenai

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Create hands over the value of the other slot. Nothing is made, so nothing is lost with an answer.
func (p *Provider) Create(ctx context.Context, like incident.Key, _ string) (keys.Created, error) {
	name, known := p.slotOf(like.ID)
	if !known {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%q is no key of the resource %q", like.ID, p.cfg.Resource))
	}
	list, err := p.slots(ctx)
	if err != nil {
		return keys.Created{}, err
	}
	for _, s := range list {
		if s.name != name {
			return keys.Created{Key: p.noun(s), Secret: []byte(s.value), Receipt: keys.Receipt{
				Summary: fmt.Sprintf("The other key, %s/%s, is handed over; nothing was made", p.cfg.Resource, s.name), After: map[string]string{"exists": "true"},
			}}, nil
		}
	}
	return keys.Created{}, fmt.Errorf("the resource %q lists no other key", p.cfg.Resource)
}

// Orphans are never left: Create makes nothing. To revoke one would end the other key.
func (p *Provider) Orphans(context.Context, incident.Key, string) ([]incident.Key, error) {
	return nil, nil
}
