package openai

import (
	"context"
	"fmt"
	"math"
	"time"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Usage reads the completions of the key by model (minutes up to a day back, hours beyond) and its billed costs. OpenAI
// bills by whole UTC days, so the money may include use from before since.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	recorder := &tape{}
	rows, err := p.completions(context.WithValue(ctx, tapeKey{}, recorder), key, since, until)
	if err != nil {
		return keys.Usage{}, err
	}
	u := keys.Usage{Rows: rows, FirstAbuse: keys.FirstAbuse(rows), Raw: evidence("usage-completions", recorder)}
	for _, row := range rows {
		u.Requests += row.Requests
		u.Tokens += row.Tokens
	}
	recorder = &tape{}
	usd, err := p.costs(context.WithValue(ctx, tapeKey{}, recorder), key, since, until)
	if err != nil {
		return keys.Usage{}, err
	}
	u.MicroUSD, u.CostKnown, u.CostBasis = int64(math.Round(usd*1e6)), true, "billed, whole UTC days"
	u.Raw = append(u.Raw, evidence("costs", recorder)...)
	return u, nil
}

func (p *Provider) completions(ctx context.Context, key incident.Key, since, until time.Time) ([]keys.UsageRow, error) {
	query := sdk.AdminOrganizationUsageCompletionsParams{
		StartTime: since.Unix(), EndTime: sdk.Int(until.Unix() + 1), BucketWidth: "1m", Limit: sdk.Int(1440),
		APIKeyIDs: []string{key.ID}, GroupBy: []string{"model"},
	}
	if until.Sub(since) > 24*time.Hour {
		query.BucketWidth, query.Limit = "1h", sdk.Int(168)
	}
	var rows []keys.UsageRow
	for {
		var page *sdk.AdminOrganizationUsageCompletionsResponse
		err := p.read(ctx, fmt.Sprintf("reading the use of key %q", key.ID), func() (err error) {
			page, err = p.admin.Organization.Usage.Completions(ctx, query)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, bucket := range page.Data {
			for _, r := range bucket.Results {
				rows = append(rows, keys.UsageRow{At: time.Unix(bucket.StartTime, 0).UTC(), Requests: r.NumModelRequests, Tokens: r.InputTokens + r.OutputTokens, Model: r.Model})
			}
		}
		if !page.HasMore || page.NextPage == "" {
			return rows, nil
		}
		query.Page = sdk.String(page.NextPage)
	}
}

func (p *Provider) costs(ctx context.Context, key incident.Key, since, until time.Time) (usd float64, err error) {
	query := sdk.AdminOrganizationUsageCostsParams{
		StartTime: since.UTC().Truncate(24 * time.Hour).Unix(), EndTime: sdk.Int(until.Unix() + 1), BucketWidth: "1d", Limit: sdk.Int(180),
		APIKeyIDs: []string{key.ID}, GroupBy: []string{"api_key_id"},
	}
	for {
		var page *sdk.AdminOrganizationUsageCostsResponse
		err := p.read(ctx, fmt.Sprintf("reading the costs of key %q", key.ID), func() (err error) {
			page, err = p.admin.Organization.Usage.Costs(ctx, query)
			return err
		})
		if err != nil {
			return 0, err
		}
		for _, bucket := range page.Data {
			for _, r := range bucket.Results {
				usd += r.Amount.Value
			}
		}
		if !page.HasMore || page.NextPage == "" {
			return usd, nil
		}
		query.Page = sdk.String(page.NextPage)
	}
}
