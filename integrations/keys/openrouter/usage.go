package openrouter

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// activity is what was used on one day at one model.
type activity struct {
	Date       string  `json:"date"`
	Model      string  `json:"model"`
	Where      string  `json:"provider_name"`
	Usage      float64 `json:"usage"` // dollars
	Requests   int64   `json:"requests"`
	Prompt     int64   `json:"prompt_tokens"`
	Completion int64   `json:"completion_tokens"`
	Reasoning  int64   `json:"reasoning_tokens"` // part of the completion
}

const daySeconds = 24 * 60 * 60

const daysOver = "OpenRouter counts calls of days that are over; of today it tells the dollars alone"

// Usage reads the activity of the last thirty days that are over, and the dollars of today from the key itself. Both at once.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	type now struct {
		key *record
		raw []keys.Raw
		err error
	}
	asked := make(chan now, 1)
	go func() {
		recorded, recorder := tape.Record(ctx)
		k, err := p.key(recorded, key.ID)
		asked <- now{k, recorder.Evidence("key"), err}
	}()
	u, err := p.past(ctx, key, since)
	today := <-asked
	if err == nil {
		err = today.err
	}
	if err != nil {
		return keys.Usage{}, err
	}
	day := p.cfg.Now().UTC().Truncate(24 * time.Hour)
	if today.key != nil && until.After(day) {
		micro := int64(math.Round(today.key.Today * 1e6))
		u.MicroUSD += micro
		u.Rows = append(u.Rows, keys.UsageRow{At: day, Seconds: daySeconds, MicroUSD: micro})
		u.Incomplete = daysOver
	}
	u.Raw = append(u.Raw, today.raw...)
	return u, nil
}

func (p *Provider) past(ctx context.Context, key incident.Key, since time.Time) (keys.Usage, error) {
	ctx, recorder := tape.Record(ctx)
	var got struct {
		Data []activity `json:"data"`
	}
	what := fmt.Sprintf("reading the activity of key %q", key.ID)
	if err := p.router.Read(ctx, rest.Call{What: what, Method: http.MethodGet, Path: "/activity", Query: url.Values{"api_key_hash": {key.ID}}, Out: &got}); err != nil {
		return keys.Usage{}, err
	}
	u := keys.Usage{CostKnown: true, CostBasis: "billed by OpenRouter, whole UTC days", Raw: recorder.Evidence("activity")}
	from := since.UTC().Truncate(24 * time.Hour)
	for _, a := range got.Data {
		at, err := time.Parse(time.DateOnly, a.Date[:min(len(a.Date), len(time.DateOnly))])
		if err != nil || at.Before(from) {
			continue
		}
		row := keys.UsageRow{At: at, Seconds: daySeconds, Requests: a.Requests, Tokens: a.Prompt + a.Completion, MicroUSD: int64(math.Round(a.Usage * 1e6)), Model: a.Model, Method: a.Where}
		u.Rows = append(u.Rows, row)
		u.Requests, u.Tokens, u.MicroUSD = u.Requests+row.Requests, u.Tokens+row.Tokens, u.MicroUSD+row.MicroUSD
	}
	return u, nil
}
