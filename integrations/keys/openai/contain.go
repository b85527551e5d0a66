package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// containCents is the smallest limit that OpenAI takes.
const containCents = 1

// before is the undo of a containment: the project's monthly limit in cents, 0 for none.
type before struct {
	ThresholdCents int64 `json:"threshold_cents"`
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	switch op {
	case keys.OpSessions:
		return keys.State{Fields: map[string]string{}, Done: true}, nil
	case keys.OpRevoke, keys.OpCreate:
		k, err := p.key(ctx, key)
		if err != nil {
			return keys.State{}, err
		}
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(k != nil)}, Done: op == keys.OpRevoke && k == nil}, nil
	}
	cents, err := p.limit(ctx, p.project(key))
	if err != nil {
		return keys.State{}, err
	}
	undo, err := json.Marshal(before{ThresholdCents: cents})
	return keys.State{Fields: limitFields(cents), Done: op == keys.OpContain && cents == containCents, Undo: undo}, err
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
		if status(err) == http.StatusNotFound {
			cents = 0
			return nil
		}
		if err != nil {
			return err
		}
		if !got.JSON.ThresholdAmount.Valid() {
			return fmt.Errorf("the answer holds no threshold")
		}
		cents = got.ThresholdAmount
		return nil
	})
	return cents, err
}

// Contain limits the project to one cent a month.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	receipt, err := p.setLimit(ctx, p.project(key), containCents)
	receipt.Summary = fmt.Sprintf("Project %q may spend one cent a month: all its keys are stopped once OpenAI enforces it", p.project(key))
	return receipt, err
}

// Restore puts the recorded limit back.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the recorded spend limit of project %q cannot be read, put it back by hand: %w", p.project(key), err))
	}
	if was.ThresholdCents > 0 {
		receipt, err := p.setLimit(ctx, p.project(key), was.ThresholdCents)
		receipt.Summary = "The project has its recorded spend limit again"
		return receipt, err
	}
	_, err := p.admin.Organization.Projects.SpendLimit.Delete(ctx, p.project(key))
	if err != nil && status(err) != http.StatusNotFound {
		return keys.Receipt{}, explain(fmt.Sprintf("taking the spend limit off project %q", p.project(key)), err)
	}
	return keys.Receipt{Summary: "The project has no spend limit, as before", After: limitFields(0)}, nil
}

func (p *Provider) setLimit(ctx context.Context, project string, cents int64) (keys.Receipt, error) {
	what := fmt.Sprintf("setting the spend limit of project %q", project)
	got, err := p.admin.Organization.Projects.SpendLimit.Update(ctx, project, sdk.AdminOrganizationProjectSpendLimitUpdateParams{
		Currency: sdk.AdminOrganizationProjectSpendLimitUpdateParamsCurrencyUsd, Interval: sdk.AdminOrganizationProjectSpendLimitUpdateParamsIntervalMonth, ThresholdAmount: cents,
	})
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	if got.ThresholdAmount != cents {
		return keys.Receipt{}, fmt.Errorf("%s: OpenAI's answer says %d cents instead of %d", what, got.ThresholdAmount, cents)
	}
	return keys.Receipt{After: limitFields(cents)}, nil
}
