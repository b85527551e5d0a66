package openai

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Revoke deletes the key for good. A key that is gone already is a success. Where OpenAI refuses because a service account owns the key,
// deleting the account would kill all its keys: that is for people to decide, so it is said and not done.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if isAdmin(key) {
		return p.revokeAdmin(ctx, key)
	}
	what := fmt.Sprintf("deleting the key %q", key.ID)
	got, err := p.admin.Organization.Projects.APIKeys.Delete(ctx, p.project(key), key.ID)
	if err == nil && got.Deleted {
		return keys.Receipt{Summary: "The key is deleted for good", After: map[string]string{"exists": "false"}}, nil
	}
	k, readErr := p.key(ctx, key)
	switch {
	case readErr == nil && k == nil && (err == nil || status(err) == http.StatusNotFound):
		return keys.Receipt{Summary: "The key was deleted already", After: map[string]string{"exists": "false"}}, nil
	case err == nil:
		return keys.Receipt{}, fmt.Errorf("%s: OpenAI's answer does not say that it is deleted", what)
	case status(err) == http.StatusBadRequest && readErr == nil && k != nil && k.Owner.Type == "service_account":
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("%w; the key belongs to the service account %q (%s): delete that account by hand if all its keys may go",
			explain(what, err), k.Owner.ServiceAccount.Name, k.Owner.ServiceAccount.ID))
	}
	return keys.Receipt{}, explain(what, err)
}
