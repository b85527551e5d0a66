package anthropic

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// What tokens from and to the cache cost, as parts of the price of an input token: Anthropic's price list.
const (
	cacheRead = 0.1
	cache5m   = 1.25
	cache1h   = 2
)

// Usage reads the key's tokens (Anthropic counts no calls) by model and place. The organisation's cost report
// is evidence only: it tells no cost per key and lags by days. A quick answer leaves it out.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	if keys.IsQuick(ctx) {
		return p.tokens(ctx, key, since, until)
	}
	type costs struct {
		raw []keys.Raw
		err error
	}
	asked := make(chan costs, 1)
	go func() {
		raw, err := p.costs(ctx, since, until)
		asked <- costs{raw, err}
	}()
	u, err := p.tokens(ctx, key, since, until)
	money := <-asked
	if err == nil {
		err = money.err
	}
	u.Raw = append(u.Raw, money.raw...)
	return u, err
}

// stretch is one bucket of the usage report.
type stretch struct {
	StartingAt time.Time `json:"starting_at"`
	Results    []struct {
		Uncached int64 `json:"uncached_input_tokens"`
		Read     int64 `json:"cache_read_input_tokens"`
		Created  struct {
			Short int64 `json:"ephemeral_5m_input_tokens"`
			Long  int64 `json:"ephemeral_1h_input_tokens"`
		} `json:"cache_creation"`
		Output int64  `json:"output_tokens"`
		Model  string `json:"model"`
		Geo    string `json:"inference_geo"`
	} `json:"results"`
}

// tokens reads the last day by the minute and what lies before it by the hour.
func (p *Provider) tokens(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	ctx, recorder := tape.Record(ctx)
	u := keys.Usage{CostKnown: p.cfg.Prices != nil, CostBasis: "unknown: there are no prices", NoRequests: true}
	for _, w := range keys.Windows(since, until) {
		query := window(w.From, w.To.Add(-time.Second), "1h", 168)
		if w.Width == time.Minute {
			query = window(w.From, w.To, "1m", 1440)
		}
		query["api_key_ids[]"], query["group_by[]"] = []string{key.ID}, []string{"model", "inference_geo"}
		err := pages(ctx, p.plain, fmt.Sprintf("reading the use of key %q", key.ID), "/v1/organizations/usage_report/messages", query, func(b stretch) {
			p.add(&u, b, w.Width)
		})
		if err != nil {
			return keys.Usage{}, err
		}
	}
	u.FirstAbuse, u.Raw = keys.FirstAbuse(u.Rows, since), recorder.Evidence("usage-report-messages")
	return u, nil
}

// add turns a bucket into rows. The dearest use says on which figure the sum rests.
func (p *Provider) add(u *keys.Usage, b stretch, width time.Duration) {
	for _, r := range b.Results {
		row := keys.UsageRow{
			At: b.StartingAt.UTC(), Seconds: int64(width.Seconds()), Model: r.Model, Region: r.Geo, Tokens: r.Uncached + r.Read + r.Created.Short + r.Created.Long + r.Output,
		}
		if p.cfg.Prices != nil {
			price, known := p.cfg.Prices.Of(providerName, r.Model)
			input := float64(r.Uncached) + cacheRead*float64(r.Read) + cache5m*float64(r.Created.Short) + cache1h*float64(r.Created.Long)
			row.MicroUSD = price.Micro(int64(math.Round(input)), r.Output)
			if u.CostKnown = u.CostKnown && known; row.MicroUSD > 0 {
				u.CostBasis = price.Basis
			}
		}
		u.Tokens += row.Tokens
		u.MicroUSD += row.MicroUSD
		u.Rows = append(u.Rows, row)
	}
}

// costs keeps the organisation's billed costs by day and workspace.
func (p *Provider) costs(ctx context.Context, since, until time.Time) ([]keys.Raw, error) {
	ctx, recorder := tape.Record(ctx)
	query := window(since.UTC().Truncate(24*time.Hour), until, "1d", 31)
	query["group_by[]"] = []string{"workspace_id", "description"}
	err := pages(ctx, p.plain, "reading the organisation's costs", "/v1/organizations/cost_report", query, func(struct{}) {})
	return recorder.Evidence("cost-report"), err
}

func window(since, until time.Time, width string, limit int) url.Values {
	return url.Values{
		"starting_at": {since.UTC().Format(time.RFC3339)}, "ending_at": {until.UTC().Add(time.Second).Format(time.RFC3339)},
		"bucket_width": {width}, "limit": {strconv.Itoa(limit)},
	}
}

// mostPages bounds a report whose pages never end.
const mostPages = 200

// pages reads a report to its end.
func pages[T any](ctx context.Context, c *rest.Client, what, path string, query url.Values, each func(T)) error {
	for range mostPages {
		var page struct {
			Data []T    `json:"data"`
			More bool   `json:"has_more"`
			Next string `json:"next_page"`
		}
		if err := c.Read(ctx, rest.Call{What: what, Method: http.MethodGet, Path: path, Query: query, Out: &page}); err != nil {
			return err
		}
		for _, one := range page.Data {
			each(one)
		}
		if !page.More || page.Next == "" {
			return nil
		}
		query.Set("page", page.Next)
	}
	return keys.Permanent(fmt.Errorf("%s: the report has more than %d pages", what, mostPages))
}
