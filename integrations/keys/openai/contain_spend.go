package openai

import (
	"context"
	"fmt"
	"net/http"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// containCents is the smallest limit that OpenAI takes.
const containCents = 1

func (p *Provider) readSpend(ctx context.Context, project string) (state, error) {
	cents, err := p.limit(ctx, project)
	return state{limitFields(cents), before{ThresholdCents: cents}, cents == containCents}, err
}

func limitFields(cents int64) map[string]string {
	if cents == 0 {
		return map[string]string{"project_spend_limit": "none"}
	}
	return map[string]string{"project_spend_limit": fmt.Sprintf("%d cents a month", cents)}
}

// limit reads the project's spend limit in cents; 0 means none.
func (p *Provider) limit(ctx context.Context, project string) (cents int64, err error) {
	err = p.read(ctx, fmt.Sprintf("reading the spend limit of project %q", project), func() error {
		got, err := p.admin.Organization.Projects.SpendLimit.Get(ctx, project)
		if err != nil {
			return err
		}
		if !got.JSON.ThresholdAmount.Valid() {
			return errShape
		}
		cents = got.ThresholdAmount
		return nil
	})
	if missing(err) {
		return 0, nil
	}
	return cents, err
}

// stopSpend limits the project to one cent a month, in one call.
func (p *Provider) stopSpend(ctx context.Context, project string) (keys.Receipt, error) {
	receipt, err := p.setLimit(ctx, project, containCents)
	receipt.Summary = fmt.Sprintf("Project %q may spend one cent a month: all its keys are stopped once OpenAI enforces it", project)
	return receipt, err
}

func (p *Provider) restoreSpend(ctx context.Context, project string, cents int64) (keys.Receipt, error) {
	if cents > 0 {
		receipt, err := p.setLimit(ctx, project, cents)
		receipt.Summary = "The project has its recorded spend limit again"
		return receipt, err
	}
	what := fmt.Sprintf("taking the spend limit off project %q", project)
	var answer *http.Response
	got, err := p.admin.Organization.Projects.SpendLimit.Delete(ctx, project, into(&answer))
	if err == nil && !got.Deleted {
		err = errShape
	}
	if err != nil && !missing(err) {
		return keys.Receipt{}, explain(what, err)
	}
	return keys.Receipt{RequestID: requestID(answer), Summary: "The project has no spend limit, as before", After: limitFields(0)}, nil
}

func (p *Provider) setLimit(ctx context.Context, project string, cents int64) (keys.Receipt, error) {
	what := fmt.Sprintf("setting the spend limit of project %q", project)
	var answer *http.Response
	got, err := p.admin.Organization.Projects.SpendLimit.Update(ctx, project, sdk.AdminOrganizationProjectSpendLimitUpdateParams{
		Currency: sdk.AdminOrganizationProjectSpendLimitUpdateParamsCurrencyUsd, Interval: sdk.AdminOrganizationProjectSpendLimitUpdateParamsIntervalMonth, ThresholdAmount: cents,
	}, into(&answer))
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	if got.ThresholdAmount != cents {
		return keys.Receipt{}, fmt.Errorf("%s: OpenAI's answer says %d cents instead of %d", what, got.ThresholdAmount, cents)
	}
	return keys.Receipt{RequestID: requestID(answer), After: limitFields(cents)}, nil
}
