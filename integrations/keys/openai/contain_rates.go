package openai

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// containRequests is the smallest rate that is sure to be taken: whether OpenAI takes 0 is not documented.
const containRequests = 1

func (p *Provider) rates(ctx context.Context, project string) ([]sdk.ProjectRateLimit, error) {
	var all []sdk.ProjectRateLimit
	query := sdk.AdminOrganizationProjectRateLimitListRateLimitsParams{Limit: sdk.Int(pageSize)}
	for {
		more := false
		err := p.read(ctx, fmt.Sprintf("listing the rate limits of project %q", project), func() error {
			page, err := p.admin.Organization.Projects.RateLimits.ListRateLimits(ctx, project, query)
			if err != nil {
				return err
			}
			if !page.JSON.Data.Valid() {
				return errShape
			}
			all = append(all, page.Data...)
			more = page.HasMore && len(page.Data) > 0
			return nil
		})
		if err != nil || !more {
			return all, err
		}
		query.After = sdk.String(all[len(all)-1].ID)
	}
}

func (p *Provider) readRates(ctx context.Context, project string) (state, error) {
	limits, err := p.rates(ctx, project)
	now := map[string]int64{}
	for _, l := range limits {
		now[l.ID] = l.MaxRequestsPer1Minute
	}
	done := len(now) > 0 && !slices.ContainsFunc(limits, func(l sdk.ProjectRateLimit) bool { return l.MaxRequestsPer1Minute > containRequests })
	return state{rateFields(now), before{Rates: now}, done}, err
}

func rateFields(rates map[string]int64) map[string]string {
	var words []string
	for _, id := range slices.Sorted(maps.Keys(rates)) {
		words = append(words, fmt.Sprintf("%s %d", id, rates[id]))
	}
	return map[string]string{"project_requests_a_minute": strings.Join(words, ", ")}
}

// stopRates sets one limit after the other; a repeat finds fewer to set.
func (p *Provider) stopRates(ctx context.Context, project string) (keys.Receipt, error) {
	limits, err := p.rates(ctx, project)
	if err != nil {
		return keys.Receipt{}, err
	}
	want := map[string]int64{}
	for _, l := range limits {
		want[l.ID] = min(l.MaxRequestsPer1Minute, containRequests)
	}
	if len(want) == 0 {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("OpenAI lists no rate limits for project %q; choose another measure", project))
	}
	receipt, err := p.setRates(ctx, project, limits, want)
	receipt.Summary = fmt.Sprintf("Project %q may make one request a minute to each of its %d models", project, len(want))
	return receipt, err
}

func (p *Provider) restoreRates(ctx context.Context, project string, was map[string]int64) (keys.Receipt, error) {
	limits, err := p.rates(ctx, project)
	if err != nil {
		return keys.Receipt{}, err
	}
	receipt, err := p.setRates(ctx, project, limits, was)
	receipt.Summary = "The project has its recorded rate limits again"
	return receipt, err
}

// setRates changes those limits that are not as wanted. A model that has come since keeps its own.
func (p *Provider) setRates(ctx context.Context, project string, now []sdk.ProjectRateLimit, want map[string]int64) (keys.Receipt, error) {
	after := map[string]int64{}
	for _, l := range now {
		after[l.ID] = l.MaxRequestsPer1Minute
		rate, known := want[l.ID]
		if !known || rate == l.MaxRequestsPer1Minute {
			continue
		}
		what := fmt.Sprintf("setting the rate limit %q of project %q", l.ID, project)
		got, err := p.admin.Organization.Projects.RateLimits.UpdateRateLimit(ctx, project, l.ID, sdk.AdminOrganizationProjectRateLimitUpdateRateLimitParams{MaxRequestsPer1Minute: sdk.Int(rate)})
		if err != nil {
			return keys.Receipt{}, explain(what, err)
		}
		if got.MaxRequestsPer1Minute != rate {
			return keys.Receipt{}, fmt.Errorf("%s: OpenAI's answer says %d requests a minute instead of %d", what, got.MaxRequestsPer1Minute, rate)
		}
		after[l.ID] = rate
	}
	return keys.Receipt{After: rateFields(after)}, nil
}
