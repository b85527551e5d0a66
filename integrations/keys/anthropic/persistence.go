package anthropic

import (
	"context"
	"fmt"
	"slices"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Persistence lists the keys and invitations made since. Anthropic's Admin API has no audit log.
func (p *Provider) Persistence(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	listing, recorder := tape.Record(ctx)
	all, err := p.list(listing)
	if err != nil {
		return nil, nil, err
	}
	raw := recorder.Evidence("api-keys")
	var traces []keys.Trace
	for _, k := range all {
		if k.CreatedAt.Before(since) || k.ID == key.ID || k.Status == sdk.APIKeyStatusArchived {
			continue
		}
		traces = append(traces, keys.Trace{Kind: "key_created", What: fmt.Sprintf("key %q (%q, %s)", k.ID, k.Name, k.Status), Actor: k.CreatedBy.ID, At: k.CreatedAt.UTC()})
	}
	invited, more, err := p.invited(ctx, since)
	traces = append(traces, invited...)
	slices.SortStableFunc(traces, func(a, b keys.Trace) int { return a.At.Compare(b.At) })
	return traces, append(raw, more...), err
}

func (p *Provider) invited(ctx context.Context, since time.Time) (traces []keys.Trace, raw []keys.Raw, err error) {
	ctx, recorder := tape.Record(ctx)
	query := sdk.OrganizationInviteListParams{Limit: sdk.Int(pageSize)}
	for {
		more := false
		err := p.read(ctx, "listing the organisation's invitations", func() error {
			page, err := p.admin.Invites.List(ctx, query)
			if err != nil {
				return err
			}
			for _, i := range page.Data {
				query.AfterID = sdk.String(i.ID)
				if !i.InvitedAt.Before(since) {
					traces = append(traces, keys.Trace{Kind: "person_invited", What: fmt.Sprintf("%q as %s, %s", i.Email, i.Role, i.Status), At: i.InvitedAt.UTC()})
				}
			}
			more = page.HasMore && len(page.Data) > 0
			return nil
		})
		if err != nil || !more {
			return traces, recorder.Evidence("invites"), err
		}
	}
}
