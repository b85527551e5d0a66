package gemini

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Revoke deletes the key. A key that is deleted already is a success. checkExistingUsage is never sent: it makes
// Google refuse to delete a key that was used in the last seven days, which every stolen key was.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if isAccountKey(key.ID) {
		return p.revokeAccount(ctx, key)
	}
	what := fmt.Sprintf("deleting the key %q", key.ID)
	op, err := p.keys.Projects.Locations.Keys.Delete(p.resource(key)).Context(ctx).Do()
	if err == nil {
		if op, err = p.wait(ctx, what, op); err != nil {
			return keys.Receipt{}, err
		}
		return keys.Receipt{RequestID: op.Name, Summary: "The key is deleted; Google may honour it for 8 to 23 more minutes, and can undelete it for 30 days",
			After: map[string]string{"exists": "true", "deleted": "true", "uid": key.UID}}, nil
	}
	state, readErr := p.State(ctx, keys.OpRevoke, key)
	if readErr == nil && state.Done {
		return keys.Receipt{Summary: "The key was deleted already", After: state.Fields}, nil
	}
	return keys.Receipt{}, explain(what, err)
}
