package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// auditTypes are the events that may leave something behind.
var auditTypes = []string{
	"api_key.created", "api_key.updated", "service_account.created", "service_account.updated", "rate_limit.updated", "rate_limit.deleted",
	"invite.sent", "user.added", "ip_allowlist.updated", "ip_allowlist.deleted",
}

// Persistence lists what was made or loosened in the organisation since. Audit logging must be switched on there.
func (p *Provider) Persistence(ctx context.Context, _ incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	ctx, recorder := tape.Record(ctx)
	query := sdk.AdminOrganizationAuditLogListParams{
		Limit: sdk.Int(pageSize), EventTypes: auditTypes, EffectiveAt: sdk.AdminOrganizationAuditLogListParamsEffectiveAt{Gte: sdk.Int(since.Unix())},
	}
	var traces []keys.Trace
	for {
		more := false
		err := p.read(ctx, "reading the organisation's audit log", func() error {
			page, err := p.admin.Organization.AuditLogs.List(ctx, query)
			if err != nil {
				return err
			}
			if !page.JSON.Data.Valid() {
				return errShape
			}
			for _, item := range page.Data {
				traces = append(traces, traceOf(item))
				query.After = sdk.String(item.ID)
			}
			more = page.HasMore && len(page.Data) > 0
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		if !more {
			return traces, recorder.Evidence("audit-logs"), nil
		}
	}
}

// traceOf reads one event; what it is about lies under a field named as its type.
func traceOf(item sdk.AdminOrganizationAuditLogListResponse) keys.Trace {
	kind := string(item.Type)
	var about map[string]json.RawMessage
	var target struct {
		ID string `json:"id"`
	}
	if json.Unmarshal([]byte(item.RawJSON()), &about) == nil {
		_ = json.Unmarshal(about[kind], &target)
	}
	what := fmt.Sprintf("%q", target.ID)
	if item.Project.ID != "" {
		what += fmt.Sprintf(" in project %q", item.Project.ID)
	}
	actor := item.Actor.Session.User.Email
	if address := item.Actor.Session.IPAddress; address != "" {
		what += " from " + address
	}
	if actor == "" {
		actor = item.Actor.APIKey.ID
	}
	return keys.Trace{Kind: strings.ReplaceAll(kind, ".", "_"), What: what, Actor: actor, At: time.Unix(item.EffectiveAt, 0).UTC()}
}
