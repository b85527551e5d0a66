package gemini

import (
	"context"
	"fmt"
	"strings"
	"time"

	iam "google.golang.org/api/iam/v1"
	monitoring "google.golang.org/api/monitoring/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// accountFilter selects how often the key authenticated. What was called with the tokens that it got is counted under no key.
func accountFilter(key incident.Key) string {
	_, id, _ := strings.Cut(key.ID, "/")
	return fmt.Sprintf("metric.type=%q AND resource.type=%q AND resource.labels.unique_id=%q AND metric.labels.key_id=%q",
		"iam.googleapis.com/service_account/key/authn_events_count", "iam_service_account", key.UID, id)
}

const authenticationsOnly = "Google counts how often the key authenticated, not what was called with its tokens"

func accountRows(series *monitoring.TimeSeries) []keys.UsageRow {
	var rows []keys.UsageRow
	for _, point := range series.Points {
		if at, n, fits := pointOf(point); fits {
			rows = append(rows, keys.UsageRow{At: at, Seconds: 60, Requests: n, Method: "authentication"})
		}
	}
	return rows
}

// accountTraces are the keys that people made for the account since: whoever has its key may have given it another.
func (p *Provider) accountTraces(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, error) {
	email, own, _ := strings.Cut(key.ID, "/")
	list, err := p.keysOf(ctx, email)
	if err != nil {
		return nil, err
	}
	var out []keys.Trace
	for _, k := range list {
		at, err := time.Parse(time.RFC3339Nano, k.ValidAfterTime)
		if id := lastSegment(k.Name); err == nil && !at.Before(since) && id != own {
			out = append(out, keys.Trace{Kind: "key_created", What: fmt.Sprintf("key %q of the service account %q, %s", id, email, origin(k)), At: at.UTC()})
		}
	}
	return out, nil
}

func origin(k *iam.ServiceAccountKey) string {
	if k.KeyOrigin == "USER_PROVIDED" {
		return "uploaded"
	}
	return "made by Google"
}
